"""The work of `tile_work`, `table_work`, `reserving` and `saving` as task generators.

Their names are part of all keys: a function may move, its name here stays. A version
says that results of another meaning were kept under that name before.
"""

from __future__ import annotations

from segkit.workflows import reserving, saving, table_work, tile_work
from taskgraph.task import TaskGenerator

RUN_TILE = TaskGenerator(tile_work.run_tile, name="segkit.run_tile")
RUN_WHOLE = TaskGenerator(tile_work.run_whole, name="segkit.run_whole")
RUN_OVERLAPPING = TaskGenerator(
    tile_work.run_overlapping, name="segkit.run_overlapping"
)
LABEL_TILE = TaskGenerator(tile_work.label_objects, name="segkit.label_tile", version=2)
FIND_SEAMS = TaskGenerator(tile_work.find_seams, name="segkit.find_seams")
MEASURE_TILE = TaskGenerator(tile_work.measure_objects, name="segkit.measure_tile")
MEASURE_SURFACES = TaskGenerator(
    tile_work.measure_surfaces, name="segkit.measure_surfaces"
)

MERGE_TILES = TaskGenerator(table_work.merge_objects, name="segkit.merge_tiles")
COMBINE = TaskGenerator(table_work.combine_tables, name="segkit.combine")
KEEP = TaskGenerator(table_work.keep_objects, name="segkit.keep")
TABULATE = TaskGenerator(table_work.tabulate, name="segkit.tabulate")
CLASSIFY = TaskGenerator(table_work.classify_objects, name="segkit.classify")
CLASSES = TaskGenerator(table_work.look_classes_up, name="segkit.reconstruct")

RESERVE = TaskGenerator(
    reserving.reserve, name="segkit.reserve", ignore=("ours", "store")
)
SAVE_IMAGE = TaskGenerator(saving.save_image, name="segkit.save_image")
SAVE_TABLE = TaskGenerator(saving.save_objects, name="segkit.save_table")
CREATE_FILE = TaskGenerator(saving.create_file, name="segkit.create_file")
WRITE_TILE = TaskGenerator(saving.write_tile, name="segkit.write_tile")
FINISH_FILE = TaskGenerator(saving.finish_file, name="segkit.finish_file")
