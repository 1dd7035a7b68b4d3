"""The content types that the XGBoost image adds."""

from sm_toolkits.content_types import LIBSVM, X_LIBSVM, X_PARQUET, X_RECORDIO_PROTOBUF

__all__ = ["LIBSVM", "X_LIBSVM", "X_PARQUET", "X_RECORDIO_PROTOBUF"]
