#ifndef ANALYZER_DIFF_AROUND_GRAPH_H_
#define ANALYZER_DIFF_AROUND_GRAPH_H_

#include "analyzer/diff/rows.h"

struct doc;
struct err;

/*
 * What changed between the graphs of two ONNX models, as rows of
 * CHANGE_GRAPH: by structure, not by text, since an exporter gives other
 * names and numbers each time.  around_graph.c has the method.
 *
 * Rows, in this order; nodes in the order of NEW's file, then what was
 * removed in OLD's:
 *
 *   key                          what                   old, new
 *   ir_version, producer_name,   changed added removed  the values
 *   opset_import[DOMAIN],
 *   metadata_props[KEY],
 *   doc_string, graph.name, ...
 *   function DOMAIN.NAME         changed added removed  (in) -> (out)
 *   input NAME, output NAME      changed added removed  type, "F32[N,3]"
 *                                moved                  the two names
 *   output NAME source           changed                what gives it
 *   node NAME                    added removed changed  operator and inputs
 *   node NAME attribute KEY      changed added removed  the values
 *   node NAME input I            changed                what goes in
 *   node names                   moved                  how many differ
 *
 * A node without a name is called by its first output.  At most
 * AROUND_GRAPH_ROWS rows of nodes are told; the last one then is "nodes not
 * listed", with how many of each kind in ${more}.  When a file was not read
 * to its end the first row says so ("graph not read to its end"); what needs
 * more than 512 MiB (half a million nodes a side) ends with the row "graph too
 * large to be compared".
 *
 * Weights are not compared here (they are tensors): an initializer counts by
 * its name, type and shape.  Values of attributes beyond 1 KiB are compared
 * byte by byte and shown as what they are.
 */
#define AROUND_GRAPH_ROWS 500

/*
 * around_graph: both are ONNX files.  0, or negative: of a row's consumer, or
 * ours.
 */
int around_graph(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_GRAPH_H_ */
