"""The work of `tile_work`, `table_work`, `reserving` and `saving` as task generators.

Their names are part of all keys: a function may move, its name here stays. They begin
with ``segkit.workflows``, so that none is that of a public function of segkit, which a
jugfile may use as a task of its own.
"""

from __future__ import annotations

from segkit.pipeline import stage_work
from segkit.pipeline.parts import conditions, wells
from segkit.workflows import reserving, saving, table_work, tile_work
from taskgraph import TaskGenerator

RUN_TILE = TaskGenerator(tile_work.run_tile, name="segkit.workflows.run_tile")
RUN_WHOLE = TaskGenerator(tile_work.run_whole, name="segkit.workflows.run_whole")
RUN_OVERLAPPING = TaskGenerator(
    tile_work.run_overlapping, name="segkit.workflows.run_overlapping"
)
LABEL_TILE = TaskGenerator(tile_work.label_objects, name="segkit.workflows.label_tile")
FIND_SEAMS = TaskGenerator(tile_work.find_seams, name="segkit.workflows.find_seams")
MEASURE_TILE = TaskGenerator(
    tile_work.measure_objects, name="segkit.workflows.measure_tile"
)
MEASURE_LABELS = TaskGenerator(
    tile_work.measure_labels, name="segkit.workflows.measure_labels"
)

MERGE_TILES = TaskGenerator(
    table_work.merge_objects, name="segkit.workflows.merge_tiles"
)
COMBINE = TaskGenerator(table_work.combine_tables, name="segkit.workflows.combine")
KEEP = TaskGenerator(table_work.keep_objects, name="segkit.workflows.keep")
TABULATE = TaskGenerator(table_work.tabulate, name="segkit.workflows.tabulate")
SIDE_BY_SIDE = TaskGenerator(
    stage_work.side_by_side, name="segkit.workflows.side_by_side"
)
JOIN_TABLES = TaskGenerator(table_work.join_tables, name="segkit.workflows.join_tables")
PER_WELL = TaskGenerator(wells.per_well, name="segkit.workflows.per_well")
PER_CONDITION = TaskGenerator(
    conditions.per_condition, name="segkit.workflows.per_condition"
)
CLASSIFY = TaskGenerator(table_work.classify_objects, name="segkit.workflows.classify")
CLASSES = TaskGenerator(table_work.look_classes_up, name="segkit.workflows.reconstruct")

RESERVE = TaskGenerator(
    reserving.reserve, name="segkit.workflows.reserve", ignore=("ours", "store")
)
SAVE_IMAGE = TaskGenerator(
    saving.save_image, name="segkit.workflows.save_image", files=True, ignore=("of",)
)
SAVE_OVERLAY = TaskGenerator(
    saving.save_overlay,
    name="segkit.workflows.save_overlay",
    files=True,
    ignore=("of",),
)
SAVE_TABLE = TaskGenerator(
    saving.save_objects,
    name="segkit.workflows.save_table",
    files=True,
    ignore=("of",),
)
CREATE_FILE = TaskGenerator(saving.create_file, name="segkit.workflows.create_file")
WRITE_TILE = TaskGenerator(saving.write_tile, name="segkit.workflows.write_tile")
FINISH_FILE = TaskGenerator(
    saving.finish_file, name="segkit.workflows.finish_file", files=True, ignore=("of",)
)
FINISH_ELSEWHERE = TaskGenerator(
    saving.finish_elsewhere, name="segkit.workflows.finish_elsewhere", ignore=("of",)
)
