#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "formats/rows/crc32c.h"

/* Eight tables, eight bytes a step; filled when first asked for. */
static uint32_t table[8][256];
static bool filled;

static void
fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (unsigned k = 0; k < 8; k++)
			v = v >> 1 ^ (v & 1 ? UINT32_C(0x82f63b78) : 0);
		table[0][i] = v;
	}
	for (unsigned t = 1; t < 8; t++)
		for (unsigned i = 0; i < 256; i++)
			table[t][i] = table[t - 1][i] >> 8 ^
			    table[0][table[t - 1][i] & 255];
	filled = true;
}

uint32_t
crc32c(uint32_t sum, const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	if (!filled)
		fill();
	sum = ~sum;
	for (; n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		w = le64toh(w) ^ sum;
		sum = table[7][w & 255] ^ table[6][w >> 8 & 255] ^
		    table[5][w >> 16 & 255] ^ table[4][w >> 24 & 255] ^
		    table[3][w >> 32 & 255] ^ table[2][w >> 40 & 255] ^
		    table[1][w >> 48 & 255] ^ table[0][w >> 56];
	}
	for (; i < n; i++)
		sum = sum >> 8 ^ table[0][(sum ^ p[i]) & 255];
	return ~sum;
}

uint32_t
crc32c_mask(uint32_t sum)
{
	return (sum >> 15 | sum << 17) + UINT32_C(0xa282ead8);
}
