#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz_common.h"
#include "tests/lib/format_case.h"

/*
 * The input is a folder: for each file one byte that chooses its name, two
 * of its length, then its bytes.  What is left is the list's own end, so the
 * list is fuzzed too.
 */
static const char *const names[] = {"adapter_config.json",
    "chat_template.jinja", "chat_template.json", "config.json",
    "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors",
    "m.gguf", "m.safetensors.index.json", "model.safetensors",
    "model_index.json",
    "modeling_x.py", "modules.json", "processor_config.json",
    "pytorch_model.bin", "tokenizer_config.json", "unet/my_unet.py"};
#define NAMES (sizeof(names) / sizeof(names[0]))

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	extern const struct format format_repository;
	struct format_case_file file[NAMES + 1];
	static char list[1 << 16];
	size_t at = 0, count = 0, len, last = 0, k;
	int r;

	memset(file, 0, sizeof(file));
	while (n > 3 && count < NAMES) {
		k = p[0] % NAMES;
		len = (size_t)p[1] | (size_t)p[2] << 8;
		p += 3;
		n -= 3;
		if ((count > 0 && k <= last) || len > n)
			break;
		file[count++] = (struct format_case_file){names[k], p, len,
		    false};
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%zu %s",
		    len, names[k]) + 1;
		last = k;
		p += len;
		n -= len;
	}
	if (n > 4096)
		n = 4096;
	if (n > 0)
		memcpy(list + at, p, n);
	format_case_siblings(file);
	r = fuzz_format(&format_repository, (const uint8_t *)list, at + n);
	format_case_siblings(NULL);
	return r;
}
