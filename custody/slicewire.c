#include "custody/slicewire.h"

const struct field_def slicewire_ask[SLICE_A_COLUMNS] = {
    [SLICE_A_FILE] = {"file", FIELD_U64}};

const struct field_def slicewire_format[SLICE_F_COLUMNS] = {
    [SLICE_F_FORMAT] = {"format", FIELD_TEXT},
    [SLICE_F_LINES] = {"lines", FIELD_BOOL}};

const struct field_def slicewire_field[SLICE_C_COLUMNS] = {
    [SLICE_C_NAME] = {"name", FIELD_TEXT},
    [SLICE_C_TYPE] = {"type", FIELD_TEXT}};

const struct field_def slicewire_taken[SLICE_T_COLUMNS] = {
    [SLICE_T_INDEX] = {"index", FIELD_U64},
    [SLICE_T_FILE] = {"file", FIELD_U64},
    [SLICE_T_OFF] = {"offset", FIELD_U64},
    [SLICE_T_LEN] = {"length", FIELD_U64},
    [SLICE_T_HOW] = {"how", FIELD_U64},
    [SLICE_T_DAMAGED] = {"damaged", FIELD_BOOL},
    [SLICE_T_SIZE] = {"size", FIELD_U64}};

const struct field_def slicewire_data[SLICE_D_COLUMNS] = {
    [SLICE_D_BYTES] = {"bytes", FIELD_TEXT}};

const struct field_def slicewire_told[SLICE_P_COLUMNS] = {
    [SLICE_P_FILE] = {"file", FIELD_U64},
    [SLICE_P_OFF] = {"offset", FIELD_U64},
    [SLICE_P_WHAT] = {"what", FIELD_TEXT}};

const struct field_def slicewire_end[SLICE_E_COLUMNS] = {
    [SLICE_E_SEEN] = {"seen", FIELD_U64},
    [SLICE_E_TAKEN] = {"taken", FIELD_U64},
    [SLICE_E_UNDECIDED] = {"undecided", FIELD_U64},
    [SLICE_E_DAMAGED] = {"damaged", FIELD_U64},
    [SLICE_E_BROKEN] = {"broken", FIELD_U64},
    [SLICE_E_REACHED] = {"reached_end", FIELD_BOOL}};

const struct field_def slicewire_checked[SLICE_K_COLUMNS] = {
    [SLICE_K_SLICE] = {"slice", FIELD_TEXT},
    [SLICE_K_SOURCE] = {"source", FIELD_TEXT},
    [SLICE_K_HOLDS] = {"holds", FIELD_BOOL},
    [SLICE_K_RECORDS] = {"records", FIELD_U64},
    [SLICE_K_REASON] = {"reason", FIELD_TEXT}};
