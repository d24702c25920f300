#include "aws/copyurl.h"

#include <stdlib.h>
#include <string.h>

#define LIFETIME_S 3600

static const struct {
	const char *service, *operation, *url;
	bool tells_regions; /* the call itself has both regions */
} copies[] = {
	{ "ec2", "CopySnapshot", "PresignedUrl", true },
	{ "rds", "CopyDBClusterSnapshot", "PreSignedUrl", false },
	{ "rds", "CopyDBSnapshot", "PreSignedUrl", false },
	{ "rds", "CreateDBCluster", "PreSignedUrl", false },
};
#define N_COPIES (sizeof(copies) / sizeof(copies[0]))

/* The same call, as the source region will be asked. */
static enum err_status make(struct job *j, const char *source, bool has_destination,
	struct buf *out, struct err *err)
{
	struct aws_request req = { .service = j->req->service,
		.operation = j->req->operation,
		.params = j->params,
		.region = source };
	struct job *inner = calloc(1, sizeof(*inner));
	if (!inner) {
		return err_set(err, ERR_LIMIT, "out of memory");
	}
	inner->show_only = true; /* what a dry run refuses is the copy, and that is done */
	inner->is_copy_url = true;
	enum err_status st = job_prepare(inner, j->client, &req, err);
	if (st == ERR_OK && !has_destination) {
		buf_printf(&inner->wire.body, "&DestinationRegion=%s", j->region);
	}
	if (st == ERR_OK) {
		st = job_presign(inner, LIFETIME_S, err);
	}
	if (st == ERR_OK) {
		wire_url(&inner->wire, out);
	}
	job_deinit(inner);
	free(inner);
	return st;
}

enum err_status copyurl_add(struct job *j, struct err *err)
{
	size_t i = 0;
	while (i < N_COPIES && (strcmp(j->req->service, copies[i].service) != 0 ||
				       strcmp(j->req->operation, copies[i].operation) != 0)) {
		i++;
	}
	const char *given = json_string_value(json_object_get(j->params, "SourceRegion"));
	if (i == N_COPIES || !given || j->is_copy_url) {
		return ERR_OK;
	}
	char *source = str_dup(str_from(given));
	bool wanted = !json_object_get(j->params, copies[i].url);
	if (!copies[i].tells_regions) {
		(void)json_object_del(j->params, "SourceRegion");
	} else if (wanted) {
		(void)json_object_set_new(
			j->params, "DestinationRegion", json_string(j->region));
	}
	enum err_status st = ERR_OK;
	if (wanted) {
		struct buf url;
		buf_init(&url, (size_t)256 * 1024);
		st = make(j, source, copies[i].tells_regions, &url, err);
		if (st == ERR_OK) {
			(void)json_object_set_new(
				j->params, copies[i].url, doc_str(buf_view(&url)));
		}
		buf_deinit(&url);
	}
	free(source);
	return st;
}
