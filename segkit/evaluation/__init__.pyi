from .distances import (
    ObjectDistances as ObjectDistances,
    distances_of_runs as distances_of_runs,
    hausdorff_distance as hausdorff_distance,
    hausdorff_of_runs as hausdorff_of_runs,
    object_distances as object_distances,
    published_distances as published_distances,
)
from .matching import (
    IOU_THRESHOLDS as IOU_THRESHOLDS,
    Detection as Detection,
    Matches as Matches,
    ObjectCounts as ObjectCounts,
    average_precision as average_precision,
    match_objects as match_objects,
    object_counts as object_counts,
    published_object_counts as published_object_counts,
)
from .partitions import (
    AdaptedRand as AdaptedRand,
    PairCounts as PairCounts,
    VariationOfInformation as VariationOfInformation,
    adapted_rand_error as adapted_rand_error,
    adjusted_rand_index as adjusted_rand_index,
    dice as dice,
    foreground_rand as foreground_rand,
    jaccard as jaccard,
    pair_counts as pair_counts,
    published_jaccard_index as published_jaccard_index,
    rand_index as rand_index,
    variation_of_information as variation_of_information,
)
from .runs import (
    LabelRuns as LabelRuns,
    label_runs as label_runs,
)
from .scoring import (
    published_scores as published_scores,
    scores as scores,
    scores_of_runs as scores_of_runs,
    table_scores as table_scores,
)

__all__: list[str]
