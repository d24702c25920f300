#include "aws/errors.h"

#include "aws/xml.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Codes as the SDKs sort them (botocore data/_retry.json and retries/standard.py). */
static const char *const throttling[] = { "BandwidthLimitExceeded", "EC2ThrottledException",
	"LimitExceededException", "PriorRequestNotComplete",
	"ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
	"RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
	"ThrottlingException", "TooManyRequestsException", "TransactionInProgressException",
	NULL };
static const char *const transient[] = { "InternalError", "InternalFailure",
	"InternalServerError", "InternalServerException", "RequestTimeout",
	"RequestTimeoutException", "ServiceUnavailable", "ServiceUnavailableException",
	"Unavailable", NULL };
static const char *const skewed[] = { "AuthFailure", "InvalidSignatureException",
	"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
	NULL };
static const char *const expired[] = { "ExpiredToken", "ExpiredTokenException",
	"RequestExpired", "TokenRefreshRequired", NULL };
static const char *const credentials[] = { "AuthFailure", "ExpiredToken",
	"ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
	"InvalidClientTokenId", "InvalidSignatureException", "InvalidToken",
	"MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired",
	"SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException", NULL };
static const char *const denied[] = { "AccessDenied", "AccessDeniedException",
	"AuthorizationError", "AuthorizationErrorException", "NotAuthorized",
	"UnauthorizedAccess", "UnauthorizedOperation", NULL };
/* Parts of codes; AWS has hundreds of them and these words are stable. */
static const char *const not_found[] = { "NotFound", "NoSuch", "NonExistent", "DoesNotExist",
	"InvalidParameterValue.Missing", NULL };
static const char *const conflict[] = { "AlreadyExist", "AlreadyInUse", "AlreadyOwned",
	"ConditionalCheckFailed", "ConditionalRequestConflict", "Conflict", "Duplicate",
	"OptimisticLock", "PreconditionFailed", "TransactionCanceled", NULL };

static bool in(const char *code, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(code, *list) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_part(const char *code, const char *const *list)
{
	for (; *list; list++) {
		if (strstr(code, *list)) {
			return true;
		}
	}
	return false;
}

bool aws_error_throttled(const struct err *err)
{
	return in(err->code, throttling) || err->http_status == 429;
}

bool aws_error_skewed(const struct err *err)
{
	return in(err->code, skewed);
}

bool aws_error_expired(const struct err *err)
{
	return in(err->code, expired);
}

static enum err_status classify(const struct err *e)
{
	if (aws_error_throttled(e) || in(e->code, transient) || e->http_status >= 500) {
		return ERR_UNREACHABLE;
	}
	if (in(e->code, credentials)) {
		return ERR_CONFIG;
	}
	if (in(e->code, denied)) {
		return ERR_DENIED;
	}
	if (has_part(e->code, not_found)) {
		return ERR_NOT_FOUND;
	}
	if (has_part(e->code, conflict)) {
		return ERR_CONFLICT;
	}
	switch (e->http_status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
	case 412:
		/* EC2 answers 412 to a DryRun that would have worked. */
		return strcmp(e->code, "DryRunOperation") == 0 ? ERR_REFUSED : ERR_CONFLICT;
	default:
		return ERR_FAILED;
	}
}

const char *errors_request_id(const struct wire_response *r)
{
	static const char *const names[] = { "x-amzn-requestid", "x-amz-request-id",
		"x-amzn-request-id", "x-amz-id-2" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *id = wire_get(&r->headers, names[i]);
		if (id) {
			return id;
		}
	}
	return NULL;
}

/* What could be read out of the body and headers; all borrowed or copied into buffers here. */
struct parts {
	char code[80], id[80];
	struct buf message;
};

static void copy(char *out, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c >= 0x7f) {
			c = '?';
		}
		out[i] = (char)c;
	}
	out[n] = '\0';
}

/* "aws.protocoltests#FooError:http://internal.example/" is FooError. */
static struct str bare_code(struct str code)
{
	size_t hash = str_find_char(code, '#');
	if (hash != SIZE_MAX) {
		code = str_sub(code, hash + 1, SIZE_MAX);
	}
	return str_trim(str_sub(code, 0, str_find_char(code, ':')));
}

static void from_xml(struct str body, struct parts *p)
{
	struct xml_doc doc;
	if (xml_parse(body, &doc, NULL) != ERR_OK) {
		return;
	}
	const struct xml_node *error = doc.root;
	if (xml_child(error, "Errors")) { /* EC2: Response/Errors/Error */
		error = xml_child(error, "Errors");
	}
	if (xml_child(error, "Error")) { /* query: ErrorResponse/Error; S3: Error itself */
		error = xml_child(error, "Error");
	}
	if (xml_child(error, "Code")) {
		copy(p->code, sizeof(p->code), bare_code(xml_text(error, "Code")));
		buf_add_str(&p->message, xml_text(error, "Message"));
		struct str id = xml_text(doc.root, "RequestId");
		if (!id.n) {
			id = xml_text(doc.root, "RequestID");
		}
		copy(p->id, sizeof(p->id), id);
	}
	xml_deinit(&doc);
}

static void from_json(struct str body, struct parts *p)
{
	json_t *doc = NULL;
	if (doc_parse(body, WIRE_MAX_BODY, &doc, NULL) != ERR_OK) {
		return;
	}
	static const char *const code_names[] = { "__type", "code", "Code" };
	static const char *const text_names[] = { "message", "Message", "errorMessage" };
	for (size_t i = 0; i < 3; i++) {
		const char *code = json_string_value(json_object_get(doc, code_names[i]));
		const char *text = json_string_value(json_object_get(doc, text_names[i]));
		if (code && !p->code[0]) {
			copy(p->code, sizeof(p->code), bare_code(str_from(code)));
		}
		if (text && !p->message.n) {
			buf_puts(&p->message, text);
		}
	}
	json_decref(doc);
}

static void from_headers(
	const struct model_call *c, const struct wire_response *r, struct parts *p)
{
	const char *type = wire_get(&r->headers, "x-amzn-errortype");
	if (type && type[0]) {
		copy(p->code, sizeof(p->code), bare_code(str_from(type)));
	}
	/* "AWS.SimpleQueueService.NonExistentQueue;Sender": the code of the old query protocol. */
	const char *query = wire_get(&r->headers, "x-amzn-query-error");
	if (query && c->service->query_errors) {
		struct str s = str_from(query);
		copy(p->code, sizeof(p->code), str_sub(s, 0, str_find_char(s, ';')));
	}
}

/* Answers without a body (S3 HEAD) or from something that is not AWS. */
static void from_status(const struct wire_response *r, struct parts *p)
{
	static const struct {
		int status;
		const char *code;
	} known[] = { { 301, "PermanentRedirect" }, { 304, "NotModified" },
		{ 307, "TemporaryRedirect" }, { 400, "BadRequest" }, { 403, "AccessDenied" },
		{ 404, "NotFound" }, { 405, "MethodNotAllowed" }, { 409, "Conflict" },
		{ 412, "PreconditionFailed" }, { 413, "RequestTooLarge" },
		{ 416, "InvalidRange" }, { 429, "TooManyRequestsException" },
		{ 500, "InternalError" }, { 502, "BadGateway" }, { 503, "ServiceUnavailable" },
		{ 504, "GatewayTimeout" } };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == r->status) {
			copy(p->code, sizeof(p->code), str_from(known[i].code));
		}
	}
	struct str body = str_trim(buf_view(&r->body));
	if (!body.n) {
		buf_puts(&p->message, "the answer has no body");
		return;
	}
	bool html = str_find(str_sub(body, 0, 512), STR("<html")) != SIZE_MAX ||
		    str_find(str_sub(body, 0, 512), STR("<!DOCTYPE")) != SIZE_MAX ||
		    str_find(str_sub(body, 0, 512), STR("<!doctype")) != SIZE_MAX;
	if (html) {
		buf_puts(&p->message,
			"an HTML page came instead of an AWS answer: "
			"is the endpoint right, and does it know this operation?");
		return;
	}
	buf_puts(&p->message, "not an AWS answer: ");
	text_clip(body, 120, &p->message);
}

static const char *next_step(enum err_status st, const struct err *e)
{
	if (st == ERR_CONFIG && aws_error_expired(e)) {
		return "; the credentials have expired: sign in again";
	}
	if (st == ERR_CONFIG) {
		return "; check the credentials and the machine's clock";
	}
	return "";
}

enum err_status errors_from(
	const struct model_call *c, const struct wire_response *r, struct err *err)
{
	struct parts p = { 0 };
	struct str body = str_trim(buf_view(&r->body));
	buf_init(&p.message, (size_t)64 * 1024);
	/* By content, not by protocol: JSON services send some errors as XML. */
	if (body.n && body.p[0] == '<') {
		from_xml(body, &p);
	} else if (body.n && body.p[0] == '{') {
		from_json(body, &p);
	}
	from_headers(c, r, &p);
	if (!p.code[0]) {
		buf_reset(&p.message);
		from_status(r, &p);
	}
	struct err e = { .http_status = r->status };
	copy(e.code, sizeof(e.code), str_from(p.code[0] ? p.code : "Unknown"));
	const char *id = errors_request_id(r);
	copy(e.request_id, sizeof(e.request_id), str_from(id ? id : p.id));
	enum err_status st = classify(&e);
	struct buf text;
	buf_init(&text, 1024);
	text_clip(buf_view(&p.message), 260, &text);
	(void)err_set(err, st, "%s %s: %s: %s%s", model_text(c->m, c->service->name),
		model_text(c->m, c->op->name), e.code, text.n ? text.p : "(no message)",
		next_step(st, &e));
	err->http_status = e.http_status;
	memcpy(err->code, e.code, sizeof(e.code));
	memcpy(err->request_id, e.request_id, sizeof(e.request_id));
	copy(err->call, sizeof(err->call), str_from(model_text(c->m, c->op->iam)));
	err->retryable = st == ERR_UNREACHABLE;
	buf_deinit(&text);
	buf_deinit(&p.message);
	return st;
}

bool errors_hidden(const struct model_call *c, const struct wire_response *r)
{
	struct str body = str_trim(buf_view(&r->body));
	if (c->service->protocol != MODEL_REST_XML || r->status != 200 ||
		body.n > (size_t)64 * 1024 || (c->op->flags & MODEL_OP_STREAM_OUT)) {
		return false;
	}
	struct xml_doc doc;
	if (body.n == 0 || body.p[0] != '<' || xml_parse(body, &doc, NULL) != ERR_OK) {
		return false;
	}
	bool hidden = strcmp(doc.root->name, "Error") == 0;
	xml_deinit(&doc);
	return hidden;
}
