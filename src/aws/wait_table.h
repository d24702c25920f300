/* AWS's own waiters as rows; wait_table.c is written by tools/gen_waiters.py from waiters.list. */
#ifndef CORDON_AWS_WAIT_TABLE_H
#define CORDON_AWS_WAIT_TABLE_H

#include "aws/aws.h"

/* What an acceptor compares. A path is "Reservations[].Instances[].State.Name": [] is all of a list. */
enum wait_matcher {
	WAIT_PATH,     /* the value there is `expected` */
	WAIT_PATH_ALL, /* there are values and all are */
	WAIT_PATH_ANY,
	WAIT_SOME, /* the list there has elements */
	WAIT_NONE,
	WAIT_STATUS, /* HTTP status */
	WAIT_ERROR,  /* AWS's code */
	WAIT_ANY_ERROR,
	WAIT_NO_ERROR,
};
/* The first acceptor that fits decides; an answer that none fits means: look again. */
struct wait_acceptor {
	enum aws_verdict verdict;
	enum wait_matcher matcher;
	const char *path, *expected; /* "" when not used */
};
struct wait_waiter {
	const char *service, *name, *operation;
	int delay_s, attempts;
	size_t first, n; /* acceptors */
};
extern const struct wait_acceptor wait_table_acceptors[];
extern const struct wait_waiter wait_table[]; /* sorted by service and name */
extern const size_t wait_table_size;

#endif
