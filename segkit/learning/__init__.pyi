from .combining import (
    combined as combined,
    corrected as corrected,
    residual_correlations as residual_correlations,
)
from .pixels import (
    PixelClassifier as PixelClassifier,
)
from .recipes import (
    Recipe as Recipe,
    recipe_of as recipe_of,
)
from .reporting import (
    html_table as html_table,
    latex_table as latex_table,
    residual_figure as residual_figure,
)
from .scores import (
    accuracy as accuracy,
    pearson as pearson,
    q2 as q2,
    q2_interval as q2_interval,
    score_table as score_table,
)
from .scribbles import (
    train_pixels as train_pixels,
)
from .tables import (
    feature_matrix as feature_matrix,
    stacked as stacked,
)
from .validation import (
    OutOfFold as OutOfFold,
    cross_predict as cross_predict,
    folds_of as folds_of,
    given_predictions as given_predictions,
)

__all__: list[str]
