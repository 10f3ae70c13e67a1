#include <string.h>
#include <strings.h>

#include "analyzer/contradict.h"
#include "analyzer/rules.h"

/* The beginning of a label, and the formats that bear it. */
static const struct {
	const char *label, *formats;
} labels[] = {
    {"ELF ", "elf"},
    {"PE32", "pe"},
    {"Mach-O ", "macho"},
    {"Zip archive data", "zip torch_zip torch_package compressed elf pe "
	"macho script image llamafile"},
    {"gzip compressed data", "compressed"},
    {"bzip2 compressed data", "compressed"},
    {"XZ compressed data", "compressed"},
    {"Zstandard compressed data", "compressed"},
    {"7-zip archive data", "compressed"},
    {"POSIX tar archive", "tar torch_legacy evidence-bag"},
    {"PNG image data", "image"},
    {"JPEG image data", "image"},
    {"GIF image data", "image"},
    {"PDF document", "pdf"},
    {"SQLite 3.x database", "sqlite"},
    {"Hierarchical Data Format", "hdf5"},
};

/* Names that promise data, and what they promise. */
static const struct {
	const char *suffix, *promise;
} names[] = {
    {".safetensors", "safetensors"}, {".onnx", "onnx"}, {".gguf", "gguf"},
    {".npy", "npy"}, {".json", "json"}, {".jsonl", "jsonl"},
    {".csv", "csv"}, {".tsv", "csv"}, {".txt", "text"}, {".md", "text"},
    {".yaml", "yaml"}, {".yml", "yaml"}, {".xml", "xml"},
    {".toml", "text"}, {".log", "text"}, {".jinja", "jinja"},
    {".png", "image"}, {".jpg", "image"}, {".jpeg", "image"},
    {".gif", "image"}, {".bmp", "image"}, {".webp", "image"},
};

/* Formats that can run something when they are loaded or started. */
static const char runs[] = "pickle torch_pickle torch_zip torch_package "
    "torch_legacy marshal elf pe macho";

/* What has no parser of its own says nothing about its label. */
static const char mute[] = "unknown empty tensor-data symlink repository registry "
    "carved evidence-bag bag-tag";

/* Is the word one of those in the list? */
static bool
is_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static void
say(struct finding *f, enum finding_id id, const char *format)
{
	memset(f, 0, sizeof(*f));
	f->id = id;
	f->severity = finding_info(id)->severity;
	f->confidence = CONFIDENCE_STRONG;
	rule_detail_text(f, "format", format, strlen(format));
}

bool
contradict_label(const char *format, const char *label, struct finding *ret)
{
	if (label == NULL || is_in(mute, format))
		return false;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strncmp(label, labels[i].label,
		    strlen(labels[i].label)) != 0)
			continue;
		if (is_in(labels[i].formats, format))
			return false;
		say(ret, FINDING_LABEL_CONTRADICTS, format);
		rule_detail_text(ret, "libmagic", label, strlen(label));
		return true;
	}
	return false;
}

/* What stands behind the last '!' and the last '/'. */
static const char *
last_part(const char *path)
{
	const char *bang = strrchr(path, '!');
	const char *name = bang != NULL ? bang + 1 : path;
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

bool
contradict_name(const char *path, const char *format, struct finding *ret)
{
	const char *name = last_part(path);
	size_t n = strlen(name), m;

	if (!is_in(runs, format))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		m = strlen(names[i].suffix);
		if (n <= m || strcasecmp(name + n - m, names[i].suffix) != 0)
			continue;
		say(ret, FINDING_NAME_CONTRADICTS, format);
		rule_detail_text(ret, "name_promises", names[i].promise,
		    strlen(names[i].promise));
		return true;
	}
	return false;
}
