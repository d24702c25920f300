/*
 * What can be left unopened: folders and objects of an S3 log tree whose name tells that they
 * hold no record of the time or the regions asked for. Only names that AWS itself gives are
 * trusted: below a service's folder ("CloudTrail", "vpcflowlogs" ...) come region, year, month,
 * day, and Hive-style partitions say the same as key=value.
 * "Getting and viewing your CloudTrail log files"; "Flow log files" of the Amazon VPC User Guide.
 */
#ifndef CORDON_ANALYSIS_PRUNE_H
#define CORDON_ANALYSIS_PRUNE_H

#include "base/str.h"

/* Nothing set = nothing is left out. */
struct prune {
	int64_t from_ms, to_ms; /* 0 = open */
	struct str regions;     /* "eu-west-1,us-east-1"; empty = all */
};

enum prune_why { PRUNE_NO, PRUNE_REGION, PRUNE_EARLY, PRUNE_LATE };

/*
 * Why a folder or object needs not be looked into; PRUNE_NO when it may hold something. A late
 * delivery lies under a later day, so an object up to PRUNE_LATE_HOURS past the end is kept.
 */
#define PRUNE_LATE_HOURS 24
enum prune_why prune_path(const struct prune *p, struct str path);
/* N_() text for the account of what was not read; static. */
const char *prune_text(enum prune_why why);
/* The region is among those asked for; a record without one always is. */
bool prune_has_region(const struct prune *p, struct str region);

#endif
