/*
 * The operation model: which calls exist and how their parameters and results look on the wire.
 * The table (model_table.c) is written by tools/gen_model.py from AWS's published service models
 * and operations.list. Everything here is static and read-only.
 */
#ifndef CORDON_AWS_MODEL_H
#define CORDON_AWS_MODEL_H

#include "base/str.h"

enum model_protocol {
	MODEL_EC2,
	MODEL_QUERY,
	MODEL_JSON,
	MODEL_REST_JSON,
	MODEL_REST_XML,
};

enum model_type {
	MODEL_STRUCTURE,
	MODEL_LIST,
	MODEL_MAP,
	MODEL_STRING,
	MODEL_INTEGER, /* integer and long */
	MODEL_FLOAT,   /* float and double */
	MODEL_BOOLEAN,
	MODEL_BLOB,
	MODEL_TIMESTAMP,
	MODEL_DOCUMENT, /* free JSON */
};

enum model_location {
	MODEL_BODY,
	MODEL_HEADER,
	MODEL_HEADERS, /* a map; the wire name is the prefix of the header names */
	MODEL_URI,
	MODEL_QUERYSTRING,
	MODEL_STATUS, /* the HTTP status code */
};

enum model_time { MODEL_TIME_DEFAULT, MODEL_TIME_ISO8601, MODEL_TIME_RFC822, MODEL_TIME_UNIX };

/* Flags of a member. */
#define MODEL_REQUIRED    0x01u
#define MODEL_FLATTENED   0x02u
#define MODEL_IDEMPOTENCY 0x04u /* filled with a random token when the caller gives none */
#define MODEL_STREAMING   0x08u
#define MODEL_XML_ATTR    0x10u
#define MODEL_JSON_VALUE  0x20u /* JSON text carried in a header, base64 */
/* Of a shape: IAM answers with percent-encoded policy documents; read as plain text. */
#define MODEL_URL_ENCODED 0x40u
#define MODEL_UNION       0x01u /* of a shape: exactly one member */

/* Members of one structure at most; the generator refuses more. */
#define MODEL_MAX_MEMBERS 256u

/* Rare facts about a member or shape; extra 0 is all defaults. Texts are 0 when absent. */
struct model_extra {
	uint8_t time;        /* enum model_time */
	uint16_t query_name; /* EC2's queryName */
	uint16_t xmlns_prefix, xmlns_uri;
};

/* A member of a structure, the element of a list, or the key and the value of a map. */
struct model_member {
	uint16_t name;  /* text id; 0 for list elements, keys and values */
	uint16_t wire;  /* text id of locationName; 0 = same as name */
	uint16_t shape; /* index */
	uint8_t flags;
	uint8_t location : 3; /* enum model_location */
	uint8_t extra : 5;
};

struct model_shape {
	uint16_t first;   /* first member */
	uint16_t n;       /* members: structure any, list 1, map 2 */
	uint16_t payload; /* 1 + index of the member that is the whole body; 0 = none */
	uint16_t wire;    /* text id of the shape's own locationName */
	uint8_t type;     /* enum model_type */
	uint8_t flags;    /* FLATTENED, STREAMING, URL_ENCODED, UNION */
	uint8_t extra;
};

/* Flags of an operation. */
#define MODEL_OP_MUTATING          0x01u
#define MODEL_OP_STREAM_IN         0x02u /* the input's payload is a streaming blob */
#define MODEL_OP_STREAM_OUT        0x04u
#define MODEL_OP_CHECKSUM          0x08u /* takes x-amz-checksum-*, S3 */
#define MODEL_OP_CHECKSUM_REQUIRED 0x10u /* refused without a checksum of the body */
#define MODEL_OP_NO_SIGN           0x20u
#define MODEL_OP_UNSIGNED_BODY     0x40u
#define MODEL_OP_COMPRESS          0x80u /* a large body may be sent gzipped */

struct model_operation {
	uint16_t name, method, uri; /* text ids; uri with {Label} and {Label+} */
	uint16_t iam;               /* "ec2:DescribeInstances" */
	uint16_t host_prefix;       /* "{AccountId}." before the host, with labels; 0 = none */
	uint16_t result_wrapper;    /* query */
	uint16_t input_wire;        /* rest-xml: root element, 0 = none */
	uint16_t input_xmlns;       /* rest-xml: its namespace */
	uint16_t input, output;     /* shapes, MODEL_NO_SHAPE = none */
	uint16_t pager;             /* 1 + index, 0 = not paged */
	uint8_t flags;
};
#define MODEL_NO_SHAPE 0xffffu

/* Texts are comma-separated lists of member names, or dotted paths; "a||b[-1].c" in tokens. */
struct model_pager {
	uint16_t in_tokens, out_tokens, results, more;
};

struct model_service {
	uint16_t name;            /* botocore's: "elbv2" */
	uint16_t endpoint_prefix; /* "elasticloadbalancing" */
	uint16_t signing_name;
	uint16_t
		env_name; /* serviceId for AWS_ENDPOINT_URL_<...>: "ELASTIC_LOAD_BALANCING_V2" */
	uint16_t
		config_name; /* the same in a [services] section: "elastic_load_balancing_v2" */
	uint16_t api_version;
	uint16_t json_version;  /* "1.0", "1.1" */
	uint16_t target_prefix; /* X-Amz-Target */
	uint16_t first_operation, n_operations;
	uint8_t protocol;
	bool query_errors; /* JSON service that names its old query error codes in a header */
};

/* A host that the pattern PREFIX.REGION.SUFFIX does not give. */
struct model_host {
	uint16_t service;        /* index */
	uint16_t region;         /* text id; ends in '*' for a prefix of region names */
	uint16_t host;           /* text id */
	uint16_t signing_region; /* text id, 0 = the region itself */
	uint8_t variant;         /* 1 = FIPS, 2 = dual stack, 3 = both */
};

struct model {
	const char *text;        /* all texts, each with a NUL */
	const uint32_t *offsets; /* text id -> offset; id 0 is "" */
	const struct model_extra *extras;
	const struct model_member *members;
	const struct model_shape *shapes;
	const struct model_pager *pagers;
	const struct model_operation *operations; /* sorted by name within a service */
	const struct model_service *services;     /* sorted by name */
	const struct model_host *hosts;
	uint16_t n_services, n_hosts;
};

/* What the whole table may take in the program; building fails past it. */
#define MODEL_MAX_BYTES 400000u

/* Everything in operations.list. */
extern const struct model model_table;

/* One operation with what is needed to read it. */
struct model_call {
	const struct model *m;
	const struct model_service *service;
	const struct model_operation *op;
};

/* The text of an id. Static. */
const char *model_text(const struct model *m, uint16_t id);
const struct model_service *model_service(const struct model *m, const char *name);
/* False when the service or the operation is not in the table. */
bool model_find(const struct model *m, const char *service, const char *operation,
	struct model_call *out);

/* Member i of a shape. */
const struct model_member *model_at(
	const struct model *m, const struct model_shape *s, size_t i);
/* By its API name; NULL when there is none. */
const struct model_member *model_member(
	const struct model *m, const struct model_shape *s, struct str name);
const struct model_shape *model_shape_of(const struct model *m, const struct model_member *mem);
/* API name, and name on the wire (the API name when the model has no other). */
const char *model_name(const struct model *m, const struct model_member *mem);
const char *model_wire(const struct model *m, const struct model_member *mem);
/* Timestamp format of a member: its own, its shape's, else `otherwise`. */
enum model_time model_time_of(
	const struct model *m, const struct model_member *mem, enum model_time otherwise);
/* In an answer, places that only requests have (path, query) mean the body. */
bool model_read_from_body(const struct model_member *mem);
bool model_flattened(const struct model *m, const struct model_member *mem);
/* The input's or output's shape, NULL when the operation has none. */
const struct model_shape *model_input(const struct model_call *c);
const struct model_shape *model_output(const struct model_call *c);
/* The payload member of a shape, NULL when the whole body is described by its members. */
const struct model_member *model_payload(const struct model *m, const struct model_shape *s);

#endif
