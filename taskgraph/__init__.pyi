from .api import (
    run as run,
    status as status,
)
from .compound import (
    CompoundTask as CompoundTask,
    CompoundTaskGenerator as CompoundTaskGenerator,
)
from .context import (
    CachedFunction as CachedFunction,
    in_store as in_store,
    init as init,
    is_jug_running as is_jug_running,
    open_store as open_store,
    set_jugdir as set_jugdir,
)
from .errors import (
    ArgumentChangedError as ArgumentChangedError,
    BarrierError as BarrierError,
    GaveUpError as GaveUpError,
    IterationError as IterationError,
    JugfileError as JugfileError,
    MissingResultError as MissingResultError,
    NoResultError as NoResultError,
    OptionError as OptionError,
    TaskAsResultError as TaskAsResultError,
    TaskgraphError as TaskgraphError,
    TaskInsideTaskError as TaskInsideTaskError,
    TasksFailedError as TasksFailedError,
    UnfoundError as UnfoundError,
    UnhashableError as UnhashableError,
    UsageError as UsageError,
)
from .execution.options import (
    WorkerOptions as WorkerOptions,
)
from .exit_codes import (
    ExitCode as ExitCode,
)
from .files.declared import (
    Output as Output,
)
from .files.directory import (
    Directory as Directory,
)
from .files.file import (
    File as File,
)
from .interactive.invalidating import (
    invalidate as invalidate,
    undo as undo,
)
from .interactive.memoizing import (
    Memory as Memory,
    memory as memory,
)
from .interactive.showing import (
    Shown as Shown,
    show as show,
)
from .mending.from_python import (
    accept as accept,
    verify as verify,
)
from .report import (
    FailedTask as FailedTask,
    Report as Report,
)
from .results.pickled import (
    UnstorableError as UnstorableError,
)
from .results.results import (
    Results as Results,
)
from .sweeps.designs import (
    latin_points as latin_points,
    random_points as random_points,
)
from .sweeps.rounds import (
    halving as halving,
    sweep_until as sweep_until,
)
from .sweeps.sweep import (
    Sweep as Sweep,
    sweep as sweep,
)
from .sweeps.tables import (
    Table as Table,
)
from .sweeps.tabulating import (
    table as table,
)
from .tasks.barriers import (
    barrier as barrier,
    bvalue as bvalue,
)
from .tasks.task import (
    Task as Task,
    TaskGenerator as TaskGenerator,
)
from .tasks.tasklet import (
    Tasklet as Tasklet,
)
from .tasks.unpacking import (
    iteratetask as iteratetask,
    return_tuple as return_tuple,
)
from .tasks.values import (
    value as value,
)

__all__: list[str]

__version__: str
