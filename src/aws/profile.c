#include "aws/profile.h"

#include <stdio.h>
#include <stdlib.h>

static char *find_file(struct env *env, const char *variable, const char *file)
{
	char path[4096];
	const char *named = env_var(env, variable), *home = env_var(env, "HOME");
	if (named && named[0] == '~' && named[1] == '/' && home) {
		(void)snprintf(path, sizeof(path), "%s%s", home, named + 1);
	} else if (named) {
		(void)snprintf(path, sizeof(path), "%s", named);
	} else if (home) {
		(void)snprintf(path, sizeof(path), "%s/.aws/%s", home, file);
	} else {
		return NULL;
	}
	return str_dup(str_from(path));
}

static enum err_status load_file(
	struct env *env, const char *path, struct ini *out, struct err *err)
{
	if (!path) {
		return ERR_OK;
	}
	struct buf text;
	struct err why = { 0 };
	buf_init(&text, INI_MAX_BYTES);
	text.wipe = true;
	enum err_status st = env_read_file(env, path, &text, &why);
	if (st == ERR_NOT_FOUND) {
		st = ERR_OK;
	} else if (st != ERR_OK) {
		st = err_set(err, ERR_CONFIG, "can't read %s: %s", path, why.msg);
	} else {
		st = ini_parse(buf_view(&text), path, out, err);
	}
	buf_deinit(&text);
	return st;
}

enum err_status profile_load(
	struct env *env, const char *flag, struct profile_set *out, struct err *err)
{
	struct profile_set p = { 0 };
	const char *name = flag;
	if (!name) {
		name = env_var(env, "AWS_PROFILE");
	}
	if (!name) {
		name = env_var(env, "AWS_DEFAULT_PROFILE");
	}
	p.chosen = name != NULL;
	p.name_copy = str_dup(str_from(name ? name : "default"));
	p.name = p.name_copy;
	enum err_status st;
	p.paths[PROFILE_CONFIG] = find_file(env, "AWS_CONFIG_FILE", "config");
	p.paths[PROFILE_CREDENTIALS] =
		find_file(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	TRY(load_file(env, p.paths[PROFILE_CONFIG], &p.config, err));
	TRY(load_file(env, p.paths[PROFILE_CREDENTIALS], &p.credentials, err));
	if (p.chosen && !profile_exists(&p, p.name)) {
		st = err_set(err, ERR_CONFIG,
			"the AWS profile '%s' is in neither the config nor the credentials "
			"file; list profiles with: aws configure list-profiles",
			p.name);
		goto out;
	}
	*out = p;
	return ERR_OK;
out:
	profile_deinit(&p);
	return st;
}

void profile_deinit(struct profile_set *p)
{
	ini_deinit(&p->config);
	ini_deinit(&p->credentials);
	free(p->paths[PROFILE_CONFIG]);
	free(p->paths[PROFILE_CREDENTIALS]);
	free(p->name_copy);
	*p = (struct profile_set){ 0 };
}

/* In the config file every profile but the default one is called "profile NAME". */
static void config_section(const char *name, char out[300])
{
	bool plain = str_is(str_from(name), "default");
	(void)snprintf(out, 300, "%s%s", plain ? "" : "profile ", name);
}

bool profile_exists(const struct profile_set *p, const char *name)
{
	char section[300];
	config_section(name, section);
	return ini_has_section(&p->credentials, name) || ini_has_section(&p->config, section) ||
	       (str_is(str_from(name), "default") &&
		       ini_has_section(&p->config, "profile default"));
}

bool profile_get_in(const struct profile_set *p, enum profile_file file, const char *name,
	const char *key, struct str *out)
{
	char section[300];
	name = name ? name : p->name;
	if (file == PROFILE_CREDENTIALS) {
		return ini_get(&p->credentials, name, key, out);
	}
	config_section(name, section);
	/* [profile default], where somebody wrote that, goes before [default]. */
	return (str_is(str_from(name), "default") &&
		       ini_get(&p->config, "profile default", key, out)) ||
	       ini_get(&p->config, section, key, out);
}

bool profile_get(
	const struct profile_set *p, const char *name, const char *key, struct str *out)
{
	return profile_get_in(p, PROFILE_CREDENTIALS, name, key, out) ||
	       profile_get_in(p, PROFILE_CONFIG, name, key, out);
}

const char *profile_path(const struct profile_set *p, enum profile_file file)
{
	return p->paths[file] ? p->paths[file] : "";
}

bool profile_service(const struct profile_set *p, const char *key, struct str *out)
{
	struct str services;
	char section[300];
	if (!profile_get(p, NULL, "services", &services)) {
		return false;
	}
	(void)snprintf(section, sizeof(section), "services %.*s", STR_ARG(services));
	return ini_get(&p->config, section, key, out);
}

struct str profile_setting(
	struct env *env, const struct profile_set *p, const char *variable, const char *key)
{
	struct str value = str_from(variable ? env_var(env, variable) : NULL);
	if (!value.n && key) {
		(void)profile_get(p, NULL, key, &value);
	}
	return value;
}
