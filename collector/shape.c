#include <string.h>
#include <strings.h>

#include "collector/shape.h"

/*
 * Folders.  All entries of ${all} must be there, and one of ${any} when it
 * has some.  The first row that fits decides: a git repository with DVC in
 * it is collected as DVC's, with its git.
 */
struct folder_row {
	struct shape shape;
	const char *name;	/* the folder's own, or NULL */
	const char *all[3], *any[4];
};

#define WHOLE(class, kind, what) {class, SOURCE_##kind, what, true}

static const struct folder_row folders[] = {
    /* manage-cache.md: models--org--name with blobs, refs, snapshots. */
    {WHOLE(BAG_REGISTRY, HF, "a Hugging Face cache"), NULL, {NULL},
	{"models--*", "datasets--*", "spaces--*", NULL}},
    {WHOLE(BAG_REGISTRY, HF, "a repository of a Hugging Face cache"), NULL,
	{"blobs/", "snapshots/", "refs/"}, {NULL}},
    {WHOLE(BAG_REGISTRY, HF, "a folder downloaded from Hugging Face"), NULL,
	{".cache/huggingface/"}, {NULL}},
    /* mlflow/store/tracking/file_store.py */
    {WHOLE(BAG_REGISTRY, MLFLOW, "an MLflow file store"), "mlruns", {NULL},
	{NULL}},
    {WHOLE(BAG_REGISTRY, MLFLOW, "an MLflow file store"), NULL,
	{"0/meta.yaml"}, {NULL}},
    {WHOLE(BAG_REGISTRY, DVC, "a repository with DVC"), NULL, {".dvc/"},
	{NULL}},
    {WHOLE(BAG_REGISTRY, GIT, "a git repository"), NULL, {".git"}, {NULL}},
    {WHOLE(BAG_REGISTRY, GIT, "a bare git repository"), NULL,
	{"HEAD", "objects/", "refs/"}, {NULL}},
    /* image-layout.md */
    {WHOLE(BAG_REGISTRY, OCI, "an OCI layout"), NULL,
	{"oci-layout", "index.json"}, {NULL}},
    {WHOLE(BAG_REGISTRY, WANDB, "runs of Weights & Biases"), "wandb", {NULL},
	{"run-*", "offline-run-*", "latest-run", NULL}},
    {WHOLE(BAG_REGISTRY, WANDB, "a run of Weights & Biases"), NULL,
	{"files/", "*.wandb"}, {NULL}},
    /* model_repository.md: <model>/config.pbtxt, <model>/<version>/ */
    {WHOLE(BAG_REGISTRY, TRITON, "a model of a Triton repository"), NULL,
	{"config.pbtxt"}, {NULL}},
    {WHOLE(BAG_WEIGHTS, FILES, "a saved TensorFlow model"), NULL,
	{"saved_model.pb"}, {NULL}},
    {WHOLE(BAG_TRAINING, FILES, "a saved data set"), NULL,
	{"dataset_info.json"}, {"state.json", "*.arrow", NULL}},
};

/* Files by ending, of the classes below. */
struct file_row {
	struct shape shape;
	const char *patterns[16];
};

#define FILE_OF(class, what) {class, SOURCE_FILES, what, false}

static const struct file_row files[] = {
    {{BAG_REGISTRY, SOURCE_MLFLOW, "a database of MLflow", false},
	{"mlflow.db", "mlruns.db", "backend.db", "mlflow.sqlite", NULL}},
    {FILE_OF(BAG_WEIGHTS, "model files"),
	{"*.safetensors", "*.gguf", "*.ggml", "*.pt", "*.pth", "*.ckpt",
	"*.onnx", "*.h5", "*.keras", "*.tflite", "*.mar", "*.pt2", "*.npz",
	"*.joblib", "*.pkl", NULL}},
    {FILE_OF(BAG_WEIGHTS, "model files"),
	{"pytorch_model*", "*.pickle", "*.mlmodel", "*.pb", "*.engine",
	"*.plan", "*.nemo", "*.msgpack", "*.caffemodel", "*.params", NULL}},
    {FILE_OF(BAG_API_LOGS, "logs"),
	{"*.log", "*.log.gz", "*.log.zst", "*.journal",
	"access_log*", NULL}},
    {FILE_OF(BAG_TRAINING, "data"),
	{"*.parquet", "*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.ndjson",
	"*.arrow", "*.tfrecord", "*.csv", "*.tsv", "*.mds", "*.mdb",
	"*.npy", "*-ubyte", "*.csv.gz", "*.feather", NULL}},
    {FILE_OF(BAG_OTHER, "databases"),
	{"*.db", "*.sqlite", "*.sqlite3", NULL}},
};

static const struct shape logs = FILE_OF(BAG_API_LOGS, "logs");

bool
shape_is(const char *entry, bool folder, const char *pattern)
{
	size_t n = strlen(entry), m = strlen(pattern);

	if (m > 1 && pattern[m - 1] == '/') {
		if (!folder)
			return false;
		m--;
	}
	if (*pattern == '*')
		return n >= m - 1 && strncasecmp(entry + n - (m - 1),
		    pattern + 1, m - 1) == 0;
	if (m > 0 && pattern[m - 1] == '*')
		return n >= m - 1 && memcmp(entry, pattern, m - 1) == 0;
	return n == m && memcmp(entry, pattern, m) == 0;
}

bool
shape_folder(const char *name, bool (*has)(void *ctx, const char *entry),
    void *ctx, struct shape *ret)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const struct folder_row *row = &folders[i];
		bool fits = row->name == NULL || strcmp(row->name, name) == 0;
		bool any = row->any[0] == NULL;

		for (size_t k = 0; fits && k < 3 && row->all[k] != NULL; k++)
			fits = has(ctx, row->all[k]);
		for (size_t k = 0; fits && !any && k < 4 &&
		    row->any[k] != NULL; k++)
			any = has(ctx, row->any[k]);
		if (fits && any) {
			*ret = row->shape;
			return true;
		}
	}
	return false;
}

/* "app.log.1", "app.log.12.gz": rotated by number. */
static bool
is_rotated(const char *name)
{
	const char *log = strstr(name, ".log.");
	size_t n;

	if (log == NULL)
		return false;
	n = strspn(log + 5, "0123456789-");
	return n > 0 && (log[5 + n] == '\0' || log[5 + n] == '.');
}

static bool
is_for_logs(const char *folder)
{
	static const char *const words[] = {"log", "request", "inference",
	    "audit", "capture"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(folder, words[i]) != NULL)
			return true;
	return false;
}

bool
shape_file(const char *name, const char *folder, struct shape *ret)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (size_t k = 0; k < 16 && files[i].patterns[k] != NULL;
		    k++)
			if (shape_is(name, false, files[i].patterns[k])) {
				*ret = files[i].shape;
				if (ret->class == BAG_TRAINING &&
				    is_for_logs(folder))
					*ret = logs;
				return true;
			}
	if (!is_rotated(name))
		return false;
	*ret = logs;
	return true;
}
