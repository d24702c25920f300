#include "app/app.h"

extern const struct app_command cmd_approve, cmd_aws, cmd_case, cmd_completion, cmd_doctor,
	cmd_drill, cmd_evidence, cmd_help, cmd_investigate, cmd_merge, cmd_notify, cmd_plan,
	cmd_playbook, cmd_policy, cmd_reject, cmd_report, cmd_respond, cmd_resume, cmd_rules,
	cmd_serve, cmd_search, cmd_summary, cmd_timeline, cmd_trail, cmd_undo, cmd_version;

/* In the order of `cordon help`. */
const struct app_command *const app_commands[] = {
	&cmd_drill,
	&cmd_plan,
	&cmd_respond,
	&cmd_approve,
	&cmd_reject,
	&cmd_undo,
	&cmd_resume,
	&cmd_case,
	&cmd_investigate,
	&cmd_merge,
	&cmd_timeline,
	&cmd_search,
	&cmd_summary,
	&cmd_trail,
	&cmd_evidence,
	&cmd_report,
	&cmd_playbook,
	&cmd_policy,
	&cmd_rules,
	&cmd_notify,
	&cmd_aws,
	&cmd_serve,
	&cmd_doctor,
	&cmd_completion,
	&cmd_version,
	&cmd_help,
	NULL,
};
