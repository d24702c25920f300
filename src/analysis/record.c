#include "analysis/record.h"

const char *record_source_word(enum record_source s)
{
	static const char *const words[RECORD_SOURCES] = { "cloudtrail", "web", "ssh", "flow",
		"dns", "s3", "guardduty" };
	return words[s];
}
