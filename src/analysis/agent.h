/* User agents: free text of the caller, boiled down to what program on what system. */
#ifndef CORDON_ANALYSIS_AGENT_H
#define CORDON_ANALYSIS_AGENT_H

#include "base/str.h"

#define AGENT_FAMILY_MAX  64
#define AGENT_PROGRAM_MAX 128
/* Between the family and the build in a program's text; never shown. */
#define AGENT_BUILD '\n'

/* "aws-cli linux", "terraform", "browser", "ssm-agent": versions aside. Points into `out`. */
struct str agent_family(struct str agent, char out[AGENT_FAMILY_MAX]);
/*
 * Family and build: the numbers in the agent (versions of program, interpreter, kernel), without
 * what changes from call to call. Two machines with the same program differ in some of them.
 * Points into `out`.
 */
struct str agent_program(struct str agent, char out[AGENT_PROGRAM_MAX]);
/* The family of a program's text. */
struct str agent_family_of(struct str program);
/* Infrastructure as code: Terraform, CloudFormation, CDK, Pulumi, Ansible. */
bool agent_is_iac(struct str family);
/* Asks for everything there is and is refused some: an audit's work, whoever runs it. */
bool agent_is_audit(struct str family);
/* Runs on the instance by itself: SSM, CloudWatch, ECS agents. */
bool agent_is_host(struct str family);
/* A program made for attacks, or a system made for them; NULL or its name. Static. */
const char *agent_attack_tool(struct str family);

#endif
