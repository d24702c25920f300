#include "response/actions/holders.h"

#include <stdio.h>
#include <string.h>

static void prefix_of(const char *cidr, char out[HOLDERS_KEY_MAX])
{
	snprintf(out, HOLDERS_KEY_MAX, "cordon:deny/%.64s/", cidr);
}

void holders_key(const struct action_ctx *c, const char *cidr, char out[HOLDERS_KEY_MAX])
{
	snprintf(out, HOLDERS_KEY_MAX, "cordon:deny/%.64s/%.40s", cidr, c->token);
}

json_t *holders_tag(const struct action_ctx *c, const char *cidr)
{
	char key[HOLDERS_KEY_MAX];
	holders_key(c, cidr, key);
	return json_pack("{s:s,s:s}", "Key", key, "Value", c->case_id);
}

/* The first tag for the range but the one named `own` (NULL: any), or NULL. */
static const json_t *find(const json_t *tags, const char *cidr, const char *own)
{
	char prefix[HOLDERS_KEY_MAX];
	size_t i;
	json_t *tag;
	prefix_of(cidr, prefix);
	json_array_foreach(tags, i, tag)
	{
		const char *key = doc_text_or(tag, "Key", "");
		if (strncmp(key, prefix, strlen(prefix)) == 0 &&
			(!own || strcmp(key, own) != 0)) {
			return tag;
		}
	}
	return NULL;
}

const char *holders_other(const struct action_ctx *c, const json_t *tags, const char *cidr)
{
	char own[HOLDERS_KEY_MAX];
	holders_key(c, cidr, own);
	const json_t *tag = find(tags, cidr, own);
	return tag ? doc_text_or(tag, "Value", "?") : NULL;
}

bool holders_any(const json_t *tags, const char *cidr)
{
	return find(tags, cidr, NULL) != NULL;
}
