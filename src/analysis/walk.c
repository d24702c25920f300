#include "analysis/walk.h"

#include "analysis/account.h"
#include "analysis/crew.h"

enum err_status walk_records(
	struct env *env, const struct walk_options *opts, json_t **inputs, struct err *err)
{
	struct sigma_set none;
	struct crew crew;
	uint64_t seed = 0;
	sigma_init(&none);
	sigma_ready(&none);
	env_random(env, &seed, sizeof(seed));
	crew_init(&crew, seed, &none, opts->threads);
	crew.shared.window = opts->window;
	crew.shared.source = opts->source;
	crew.shared.now_ms = env_now_ms(env);
	crew.shared.on_record = opts->on_record;
	crew.shared.on_record_ctx = opts->ctx;
	crew.shared.only_records = true;
	crew.progress = opts->progress;
	crew.progress_ctx = opts->progress_ctx;
	enum err_status st = crew_read(&crew, opts->paths, opts->n_paths, err);
	if (st == ERR_OK) {
		struct reader *r = crew_reader(&crew);
		reader_settle(r);
		*inputs = account_json(r);
	}
	crew_deinit(&crew);
	sigma_deinit(&none);
	return st;
}
