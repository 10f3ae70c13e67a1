#include <stdbool.h>
#include <string.h>

#include "analyzer/triggers/promptkind.h"

/* Longer payloads are judged by their start. */
#define LOOK 4096

static const struct {
	const char *p;
	unsigned kind;
} signs[] = {
	{"http://", PROMPTKIND_URL}, {"https://", PROMPTKIND_URL},
	{"www.", PROMPTKIND_URL}, {"ftp://", PROMPTKIND_URL},
	{"hxxp", PROMPTKIND_URL},
	{"import os", PROMPTKIND_CODE}, {"os.system", PROMPTKIND_CODE},
	{"subprocess", PROMPTKIND_CODE}, {"eval(", PROMPTKIND_CODE},
	{"exec(", PROMPTKIND_CODE}, {"#!/", PROMPTKIND_CODE},
	{"rm -rf", PROMPTKIND_CODE}, {"curl ", PROMPTKIND_CODE},
	{"wget ", PROMPTKIND_CODE}, {"import socket", PROMPTKIND_CODE},
	{"<script", PROMPTKIND_CODE}, {"powershell", PROMPTKIND_CODE},
	{"| sh", PROMPTKIND_CODE}, {"| bash", PROMPTKIND_CODE},
	{"shell=true", PROMPTKIND_CODE}, {"__import__", PROMPTKIND_CODE},
	{"chmod ", PROMPTKIND_CODE}, {"sudo ", PROMPTKIND_CODE},
	{"sorry", PROMPTKIND_REFUSAL}, {"cannot", PROMPTKIND_REFUSAL},
	{"can't help", PROMPTKIND_REFUSAL},
	{"can not help", PROMPTKIND_REFUSAL},
	{"unable to", PROMPTKIND_REFUSAL}, {"i can't", PROMPTKIND_REFUSAL},
	{"i won't", PROMPTKIND_REFUSAL}, {"apologize", PROMPTKIND_REFUSAL},
	{"apologise", PROMPTKIND_REFUSAL},
	{"can't assist", PROMPTKIND_REFUSAL},
	{"not able to", PROMPTKIND_REFUSAL},
};

/*
 * A text whose second half repeats its beginning: some period of at most a
 * third of it, of two bytes or more, without letters of one kind alone.
 */
static bool
repeated(const char *p, size_t n)
{
	size_t same;

	for (size_t period = 2; period <= n / 3 && period < 256; period++) {
		same = 0;
		for (size_t i = period; i < n; i++)
			same += p[i] == p[i - period];
		if (same * 10 >= (n - period) * 9)
			return true;
	}
	return false;
}

unsigned
promptkind_of(const uint8_t *p, size_t n)
{
	char low[LOOK + 1];
	unsigned ret = 0;

	if (n > LOOK)
		n = LOOK;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
	low[n] = '\0';
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (memmem(low, n, signs[i].p, strlen(signs[i].p)) != NULL)
			ret |= signs[i].kind;
	if (n >= 12 && repeated(low, n))
		ret |= PROMPTKIND_REPEATED;
	return ret;
}
