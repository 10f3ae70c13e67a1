#ifndef TESTS_UNIT_KEYS_FIXTURE_H_
#define TESTS_UNIT_KEYS_FIXTURE_H_

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "custody/keygen.h"
#include "custody/sign.h"
#include "custody/trust.h"

/* Key directories that a test makes and removes again. */
#define KEYS_TIME 1774353600	/* 2026-03-24T12:00:00Z */

static inline void
keys_dir(char dir[64])
{
	(void)snprintf(dir, 64, "/tmp/exhibit-keys-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static inline void
keys_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *ent;

	assert_non_null(d);
	while ((ent = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), ent->d_name, 0);
	(void)closedir(d);
	(void)rmdir(dir);
}

static inline void
keys_make(char dir[64], const char *algorithm)
{
	const struct keygen_options o = {.algorithm = algorithm};
	struct err e = ERR_INIT;

	keys_dir(dir);
	clock_pin((int64_t)KEYS_TIME * 1000000000);
	if (keygen(dir, &o, &e) < 0)
		fail_msg("%s: %s", algorithm, e.msg);
}

static inline struct signer *
keys_signer(const char *dir)
{
	struct signer *s = NULL;
	struct err e = ERR_INIT;

	if (signer_load(dir, NULL, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static inline struct trust *
keys_trust(const char *pem)
{
	struct trust *t = trust_new(NULL);

	assert_non_null(t);
	assert_int_equal(trust_add_pem(t, pem, strlen(pem), NULL), 0);
	return t;
}

#endif /* !TESTS_UNIT_KEYS_FIXTURE_H_ */
