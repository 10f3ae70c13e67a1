#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/exe.h"

#define HEAD 4096

static const char *
kind_of(const void *p, size_t n, uint64_t left)
{
	const char *kind = NULL;
	struct cursor c;

	cursor_init(&c, p, n, 0);
	return exe_at(c, left, &kind) > 0 ? kind : "none";
}

#define IS(bytes, want)							\
	assert_string_equal(kind_of(bytes, sizeof(bytes) - 1,		\
	    sizeof(bytes) - 1), want)

static void
put(uint8_t *p, size_t off, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[off + i] = (uint8_t)v;
}

/* A small shared object's header: one program header behind it. */
static void
make_elf(uint8_t p[256])
{
	memset(p, 0, 256);
	memcpy(p, "\x7f" "ELF\2\1\1", 7);
	put(p, 16, 3, 2);
	put(p, 18, 62, 2);
	put(p, 20, 1, 4);
	put(p, 32, 64, 8);
	put(p, 52, 64, 2);
	put(p, 54, 56, 2);
	put(p, 56, 1, 2);
}

static void
make_pe(uint8_t p[512])
{
	memset(p, 0, 512);
	memcpy(p, "MZ", 2);
	put(p, 60, 128, 4);
	memcpy(p + 128, "PE", 2);
	put(p, 132, 0x8664, 2);
	put(p, 134, 1, 2);
	put(p, 148, 240, 2);
	put(p, 150, 0x22, 2);
	put(p, 152, 0x20b, 2);
	put(p, 152 + 60, 512, 4);
}

static void
this_program_is_an_elf(void **state)
{
	static uint8_t head[HEAD];
	FILE *f = fopen("/proc/self/exe", "rb");
	long size;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	(void)fclose(f);
	assert_string_equal(kind_of(head, sizeof(head), (uint64_t)size),
	    "elf");
}

static void
each_field_of_an_elf_counts(void **state)
{
	static const struct {
		size_t off;
		uint64_t v;
		unsigned n;
	} lies[] = {{4, 3, 1}, {5, 0, 1}, {6, 2, 1}, {11, 1, 1}, {16, 0, 2},
	    {16, 9, 2}, {18, 0xfffe, 2}, {20, 2, 4}, {52, 63, 2},
	    {54, 55, 2}, {32, 16, 8}, {32, 4096, 8},
	    {32, UINT64_MAX - 8, 8}, {56, 0, 2}};
	uint8_t p[256];

	(void)state;
	make_elf(p);
	assert_string_equal(kind_of(p, 256, 256), "elf");
	assert_string_equal(kind_of(p, 256, 119), "none");
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		make_elf(p);
		put(p, lies[i].off, lies[i].v, lies[i].n);
		if (strcmp(kind_of(p, 256, 256), "none") != 0)
			fail_msg("lie %zu", i);
	}
}

static void
each_field_of_a_pe_counts(void **state)
{
	static const struct {
		size_t off;
		uint64_t v;
		unsigned n;
	} lies[] = {{0, 0x4d5b, 2}, {60, 129, 4}, {60, 0, 4},
	    {60, 0xfffffffc, 4}, {60, 508, 4}, {130, 1, 2}, {132, 1, 2},
	    {134, 97, 2}, {148, 8, 2}, {150, 0, 2}, {152, 0x30b, 2},
	    {152 + 60, 0, 4}, {152 + 60, 513, 4}};
	uint8_t p[512];

	(void)state;
	make_pe(p);
	assert_string_equal(kind_of(p, 512, 512), "pe");
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		make_pe(p);
		put(p, lies[i].off, lies[i].v, lies[i].n);
		if (strcmp(kind_of(p, 512, 512), "none") != 0)
			fail_msg("lie %zu", i);
	}
}

static void
fat_binaries_and_java_classes_are_told_apart(void **state)
{
	static const char fat[] = "\xca\xfe\xba\xbe\0\0\0\1\1\0\0\7\0\0\0\3"
	    "\0\0\0\x30\0\0\0\x20\0\0\0\6"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char class[] = "\xca\xfe\xba\xbe\0\0\0\x34\0\5\7\0\2"
	    "\1\0\1A\7\0\4\1\0\1B\0\0\0\0\0\0";
	static const char old[] = "\xca\xfe\xba\xbe\0\0\0\x2c\0\5\7\0\2";
	static const char tag[] = "\xca\xfe\xba\xbe\0\0\0\x34\0\5\2\0\2\0\0";

	(void)state;
	IS(fat, "macho");
	IS(class, "class");
	IS(old, "none");
	IS(tag, "none");
}

static void
load_commands_must_fill_their_room(void **state)
{
	static const char good[] = "\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0"
	    "\1\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0"
	    "\x19\0\0\0\x18\0\0\0" "0123456789abcdef";
	static const char big[] = "\xfe\xed\xfa\xce\0\0\0\x12\0\0\0\3\0\0\0\2"
	    "\0\0\0\1\0\0\0\x10\0\0\0\0" "\0\0\0\1\0\0\0\x10" "01234567";
	static const char over[] = "\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0"
	    "\1\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0"
	    "\x19\0\0\0\x20\0\0\0" "0123456789abcdef01234567";
	static const char cpu[] = "\xcf\xfa\xed\xfe\7\0\0\3\3\0\0\0\2\0\0\0"
	    "\1\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0"
	    "\x19\0\0\0\x18\0\0\0" "0123456789abcdef";

	(void)state;
	IS(good, "macho");
	IS(big, "macho");
	IS(over, "none");
	IS(cpu, "none");
}

static void
bytecode_is_known(void **state)
{
	static const char wasm[] = "\0asm\1\0\0\0\1\4\1`\0\0\3\2\1\0";
	static const char long_section[] = "\0asm\1\0\0\0\1\x7f\1`\0\0";
	static const char pyc[] = "\xa7\r\r\n\0\0\0\0\0\0\0\0\0\0\0\0\xe3"
	    "0123456789abcdef";
	char dex[0x70] = "dex\n035";

	(void)state;
	IS(wasm, "wasm");
	IS(long_section, "none");
	IS(pyc, "pyc");
	put((uint8_t *)dex, 32, 0x70, 4);
	put((uint8_t *)dex, 36, 0x70, 4);
	put((uint8_t *)dex, 40, 0x12345678, 4);
	assert_string_equal(kind_of(dex, sizeof(dex), sizeof(dex)), "dex");
	put((uint8_t *)dex, 32, 0x71, 4);
	assert_string_equal(kind_of(dex, sizeof(dex), sizeof(dex)), "none");
}

static void
a_first_line_names_its_interpreter(void **state)
{
	(void)state;
	IS("#!/bin/sh\nid\n", "shell");
	IS("#! /usr/bin/env python3\nprint()\n", "python");
	IS("#!/usr/bin/env -S FOO=1 perl -w\n", "perl");
	IS("#!/usr/bin/python3.11\n", "python");
	IS("#!/opt/own/thing\n", "script");
	IS("#!/bin/sh", "shell");
	IS("#!bin/sh\n", "none");
	IS("#!/bin/\n", "none");
	IS("#!\n", "none");
	IS("#![allow(dead_code)]\n", "none");
}

static void
source_text_is_known_and_prose_is_not(void **state)
{
	(void)state;
	IS("import os; os.system('id')\n", "python");
	IS("# a\n\"\"\"doc\nstring\"\"\"\nfrom . import x\n", "python");
	IS("import os\nimport sys as s, re\n", "python");
	IS("@wrapped\ndef f(a):\n\treturn a\n", "python");
	IS("class Net(torch.nn.Module):\n    pass\n", "python");
	IS("@ECHO OFF\r\nstart calc\r\n", "batch");
	IS("$ErrorActionPreference = 'Stop'\nInvoke-WebRequest x\n",
	    "powershell");
	IS("Set WshShell = WScript.CreateObject(\"WScript.Shell\")\n"
	    "WshShell.Run \"calc\"\n", "vbscript");
	IS("import duties are paid by the buyer\n", "none");
	IS("import taxes\nare paid by the buyer\n", "none");
	IS("from the beginning, import was slow\n", "none");
	IS("class of 1998: a novel\n", "none");
	IS("define x\n", "none");
	IS("{\"a\": 1}\n", "none");
	IS("# Usage\n```\nWrite-Host a\nparam(b)\n```\n", "none");
	IS("key: value\nimport: x\n", "none");
	IS("", "none");
}

static void
random_bytes_are_no_program(void **state)
{
	static uint8_t noise[1 << 20];
	uint64_t x = 0x9e3779b97f4a7c15;
	const char *kind;
	struct cursor c;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		noise[i] = (uint8_t)(x >> 32);
	}
	for (size_t i = 0; i < sizeof(noise); i++) {
		cursor_init(&c, noise + i, sizeof(noise) - i, i);
		assert_int_equal(exe_at(c, sizeof(noise) - i, &kind), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(this_program_is_an_elf),
	    cmocka_unit_test(each_field_of_an_elf_counts),
	    cmocka_unit_test(each_field_of_a_pe_counts),
	    cmocka_unit_test(fat_binaries_and_java_classes_are_told_apart),
	    cmocka_unit_test(load_commands_must_fill_their_room),
	    cmocka_unit_test(bytecode_is_known),
	    cmocka_unit_test(a_first_line_names_its_interpreter),
	    cmocka_unit_test(source_text_is_known_and_prose_is_not),
	    cmocka_unit_test(random_bytes_are_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
