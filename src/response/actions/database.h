/* What the database actions share: an RDS instance, an Aurora or Multi-AZ cluster, its members. */
#ifndef CORDON_RESPONSE_ACTIONS_DATABASE_H
#define CORDON_RESPONSE_ACTIONS_DATABASE_H

#include "response/actions/ec2.h"

#define DATABASE_NAME_MAX 128

/*
 * The step's database as {"cluster":id|null,"vpc","instances":[{"id","groups":[..],"public"}],
 * "groups":[..] of the cluster,"secret":arn|null,"pending":[names of values that wait for the
 * maintenance window]}. Group lists are sorted; one that is being added or removed carries its state
 * ("sg-1 (adding)"). A member of a cluster stands for the whole cluster, whose groups are its
 * members'. ERR_NOT_FOUND when it does not exist. New reference.
 */
ERR_MUST_CHECK enum err_status database_read(
	const struct action_ctx *c, json_t **out, struct err *err);
/*
 * Makes sure of "vpc" in what database_read gave: without a subnet group in RDS's answer it is the VPC of a
 * security group that the database has (ec2:DescribeSecurityGroups).
 */
ERR_MUST_CHECK enum err_status database_vpc(
	const struct action_ctx *c, json_t *db, struct err *err);
/* "cordon-CASE-TOKEN" of letters, digits and single hyphens, as RDS wants names. */
void database_name(const struct action_ctx *c, char out[DATABASE_NAME_MAX]);

#endif
