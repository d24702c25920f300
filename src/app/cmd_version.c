#include "app/cli.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

static enum err_status run(struct app *app, struct err *err)
{
	(void)err;
	if (app->output == APP_TABLE) {
		printf("cordon %s\n", CORDON_VERSION);
		return ERR_OK;
	}
	json_t *v = json_pack("{s:s, s:s, s:s, s:s, s:s}", "schema", "cordon.version/1",
		"version", CORDON_VERSION, "libcurl",
		curl_version_info(CURLVERSION_NOW)->version, "openssl",
		OpenSSL_version(OPENSSL_VERSION_STRING), "jansson", JANSSON_VERSION);
	app_print_json(app, v);
	json_decref(v);
	return ERR_OK;
}

const struct app_command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = N_("Print the version"),
	.max_args = 0,
	.run = run,
};
