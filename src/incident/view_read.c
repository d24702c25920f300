#include "incident/journal.h"
#include "incident/view.h"

enum err_status view_read(struct journal *j, const char *case_id, json_t **out, struct err *err)
{
	json_t *records = NULL;
	enum err_status st = journal_read(j, case_id, &records, err);

	if (st == ERR_OK) {
		st = view_fold(records, out, err);
	}
	json_decref(records);
	return st;
}
