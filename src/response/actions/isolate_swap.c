#include "response/actions/isolate_swap.h"

#include <string.h>

#define REOPEN 2

static json_t *swap_params(const json_t *interface, const char *group)
{
	return json_pack("{s:O,s:[s]}", "NetworkInterfaceId", json_object_get(interface, "id"),
		"Groups", group);
}

const char *isolate_swap_group(const json_t *interface, const json_t *groups, const char *which)
{
	return quarantine_group(groups, doc_text_or(interface, "vpc", ""), which);
}

enum err_status isolate_swap_closed(const struct action_ctx *c, const json_t *interfaces,
	const json_t *groups, struct err *err)
{
	bool done[EC2_MAX_INTERFACES] = { false };
	size_t n = json_array_size(interfaces);
	enum err_status st = ERR_OK;
	for (int try = 0; try < 5; try++) {
		struct batch b;
		size_t of[EC2_MAX_INTERFACES] = { 0 }, sent = 0;
		batch_init(&b);
		for (size_t i = 0; i < n && i < EC2_MAX_INTERFACES; i++) {
			json_t *interface = json_array_get(interfaces, i);
			const char *group = isolate_swap_group(interface, groups, "closed");
			if (!done[i] && group) {
				batch_add_lenient(&b, "ec2", "ModifyNetworkInterfaceAttribute",
					swap_params(interface, group),
					"InvalidNetworkInterfaceID.NotFound");
				of[sent++] = i;
			}
		}
		quarantine_add_shutting(&b, groups);
		st = batch_run(&b, c->aws, err);
		for (size_t k = 0; k < sent; k++) {
			done[of[k]] = batch_ok(&b, k) || b.reqs[k].status == ERR_NOT_FOUND;
		}
		batch_deinit(&b);
		if (st == ERR_OK || st == ERR_REFUSED) {
			return st;
		}
		ec2_pause(c, try);
	}
	return err_prefix(err,
		"an interface of %s could not be put into the quarantine group, or the group "
		"that let everything through could not be emptied. Resume the case",
		c->id);
}

void isolate_swap_open(const struct action_ctx *c, const json_t *before, const json_t *groups,
	bool *opened, bool *clean)
{
	struct batch b;
	json_t *closed = quarantine_ids(groups, "closed"), *strays = NULL, *interface;
	size_t i, n_swapped = 0;
	batch_init(&b);
	size_t at_rules = quarantine_add_reading(&b, closed);
	json_array_foreach(json_object_get(before, "interfaces"), i, interface)
	{
		const char *group = isolate_swap_group(interface, groups, "open");
		if (group) {
			batch_add(&b, "ec2", "ModifyNetworkInterfaceAttribute",
				swap_params(interface, group));
		}
	}
	struct err local = { 0 };
	enum err_status st = batch_run(&b, c->aws, &local);
	(void)st;
	for (i = at_rules + 1; i < b.n; i++) {
		n_swapped += batch_ok(&b, i);
	}
	*opened = b.n > 1 && n_swapped == b.n - 1;
	strays = quarantine_strays(
		batch_result(&b, at_rules), json_object_get(before, "endpoints"));
	*clean = batch_ok(&b, at_rules) && json_array_size(strays) == 0;
	json_decref(strays);
	json_decref(closed);
	batch_deinit(&b);
}

/* Every rule of the open groups is there: new, or from an earlier try. */
static bool all_open(const struct batch *b, size_t first)
{
	for (size_t i = first; i < b->n; i++) {
		if (!batch_ok(b, i) &&
			strcmp(b->reqs[i].err.code, "InvalidPermission.Duplicate") != 0) {
			return false;
		}
	}
	return true;
}

/*
 * One answer that got lost must not decide that the intruder's connections live on: what failed is
 * tried again, briefly, because until then the host is not isolated.
 */
static bool open_again(const struct action_ctx *c, const json_t *groups)
{
	bool open = false;
	for (int try = 0; !open && try < REOPEN; try++) {
		struct batch b;
		struct err local = { 0 };
		batch_init(&b);
		quarantine_add_opening(&b, groups);
		enum err_status st = batch_run(&b, c->aws, &local);
		open = st == ERR_OK && all_open(&b, 0);
		batch_deinit(&b);
	}
	return open;
}

enum err_status isolate_swap_rules(const struct action_ctx *c, const json_t *before,
	const json_t *groups, bool *cut, struct err *err)
{
	struct err local = { 0 };
	struct batch b;
	enum err_status st = ERR_OK;
	err = err ? err : &local;
	batch_init(&b);
	quarantine_add_closing(&b, groups, json_object_get(before, "endpoints"));
	size_t first = b.n;
	if (*cut) {
		quarantine_add_opening(&b, groups);
	}
	for (int try = 0; try < 4; try++) {
		/* A group just made may not be known everywhere yet. */
		st = batch_run(&b, c->aws, err);
		if (st == ERR_OK || strcmp(err->code, "InvalidGroup.NotFound") != 0) {
			break;
		}
		ec2_pause(c, try);
	}
	*cut = *cut && (all_open(&b, first) || (st == ERR_OK && open_again(c, groups)));
	batch_deinit(&b);
	return st;
}
