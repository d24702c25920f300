/* A world for stories in tests. */
#ifndef CORDON_TESTS_UNIT_APP_STORIES_H
#define CORDON_TESTS_UNIT_APP_STORIES_H

#include "app/scenario.h"

#define STORIES_NOW INT64_C(1785578405000) /* 2026-08-01T10:00:05Z */

static inline enum err_status stories_play(
	struct scenario *s, enum scenario_kind kind, uint64_t seed, struct err *err)
{
	scenario_init(s, kind, seed, STORIES_NOW);
	s->world = (struct scenario_world){ .account = "123456789012",
		.region = "eu-west-1",
		.vpc_id = "vpc-0a1b2c3d",
		.group_id = "sg-0a1b2c3d",
		.group_name = "web",
		.detector_id = "12abc34d567e8fa901bc2d34eexample",
		.key_id = "AKIAKEYOFTHEUSER0001",
		.key_user_id = "AIDAKEYUSER000000001",
		.rogue_key_id = "AKIAROGUE00000000001",
		.rogue_user_id = "AIDAROGUE00000000001" };
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		s->world.server[i].instance_id =
			i == 0 ? "i-0aaaaaaaaaaaaaaa1" : "i-0aaaaaaaaaaaaaaa2";
		s->world.server[i].eni_id = i == 0 ? "eni-0a1" : "eni-0a2";
		s->world.server[i].subnet_id = "subnet-0a1";
		s->world.server[i].private_ip = i == 0 ? "10.20.1.10" : "10.20.2.10";
		s->world.server[i].public_ip = i == 0 ? "54.214.1.1" : "54.214.1.2";
		s->world.server[i].role_id =
			i == 0 ? "AROAROLEONE000000001" : "AROAROLETWO000000001";
		s->world.server[i].profile_arn = "arn:aws:iam::123456789012:instance-profile/p";
		s->world.server[i].profile_id = "AIPA0000000000000001";
	}
	return scenario_play(s, err);
}

#endif
