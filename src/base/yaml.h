/*
 * YAML as JSON documents that remember their lines, so that a mistake in a playbook or in
 * cordon.yaml is reported as FILE:LINE. libyaml events; aliases and tags are refused.
 */
#ifndef CORDON_BASE_YAML_H
#define CORDON_BASE_YAML_H

#include "base/doc.h"

struct yaml_doc {
	json_t *root;  /* mappings, lists, strings, true/false/null, integers, reals */
	json_t *lines; /* path ("steps[2].mode") -> line number, 1-based */
};

/*
 * Parses one document of at most 1 MiB and 64 levels. `name` is the file name for messages.
 * Plain scalars are typed by the YAML 1.2 core schema (yes/no stay text; octal-looking numbers
 * such as account ids with a leading zero stay text, as does any integer of 12 digits or more).
 */
ERR_MUST_CHECK enum err_status yaml_parse(
	struct str text, const char *name, struct yaml_doc *out, struct err *err);
/* Takes one document of several; it is freed when the function returns. */
typedef enum err_status (*yaml_take_fn)(void *ctx, const struct yaml_doc *doc, struct err *err);
/*
 * As yaml_parse for a text of several documents ("---" between them), each given to `take` in
 * turn, with lines counted over the whole text. Ends at the first one that fails; MAX_NODES
 * bounds them all together.
 */
ERR_MUST_CHECK enum err_status yaml_parse_all(
	struct str text, const char *name, yaml_take_fn take, void *ctx, struct err *err);
void yaml_deinit(struct yaml_doc *d);
/* Line of a path, or of its nearest parent; 1 at least. */
int yaml_line(const struct yaml_doc *d, const char *path);

#endif
