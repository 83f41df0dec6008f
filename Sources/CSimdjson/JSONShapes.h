// Lines that differ from one before them in nothing but their values are read without a walk.
#ifndef JSONSHAPES_H
#define JSONSHAPES_H
#include "JSONLines.h"

typedef struct jsonshapes jsonshapes;

/// NULL when memory is short.
jsonshapes *jsonshapes_create(bool strict);
void jsonshapes_destroy(jsonshapes *shapes);

/// Whether the next line is to be tried. Asked once a line: after many lines of no known shape some are passed over.
bool jsonshapes_are_tried(jsonshapes *shapes);

/// Reads the line at start, whose LF lies before end, if its shape is known: then it is JSON, and the values are those
/// that a walk would find. Returns its length without the LF; 0: the line must be walked.
size_t jsonshapes_read(jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values);

/// Takes the shape of a line and where the values lie that a walk has found in it, if it is JSON.
void jsonshapes_learn(jsonshapes *shapes, jsonlines_value line, const jsonlines_value *values, int count);
#endif
