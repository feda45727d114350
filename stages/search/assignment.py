"""The linear assignment problem: a row's column at the least total cost."""

import numpy as np

from .compiling import inner


@inner
def assign(cost):
    """Give each row a column of its own so that the sum of their costs is least.

    The Hungarian method by shortest augmenting paths.

    Parameters
    ----------
    cost
        Cost of each row and column, int64 of shape (n_rows, n_columns), with at
        least as many columns as rows.

    Returns
    -------
    array
        Column of each row, int64 of shape (n_rows,).

    References
    ----------
    R. Jonker, A. Volgenant, *A shortest augmenting path algorithm for dense and
    sparse linear assignment problems*, Computing 38, 1987.
    """
    n_rows, n_columns = cost.shape
    far = np.int64(1) << 60
    row_price = np.zeros(n_rows, np.int64)
    column_price = np.zeros(n_columns, np.int64)
    row_of = np.full(n_columns, -1, np.int64)
    column_of = np.full(n_rows, -1, np.int64)
    distance = np.empty(n_columns, np.int64)
    before = np.empty(n_columns, np.int64)
    done = np.empty(n_columns, np.bool_)
    for start in range(n_rows):
        distance[:] = far
        done[:] = False
        row, at, length = start, np.int64(-1), np.int64(0)
        while row >= 0:
            nearest, shortest = np.int64(-1), far
            for column in range(n_columns):
                if done[column]:
                    continue
                through = length + cost[row, column] - row_price[row] - column_price[column]
                if through < distance[column]:
                    distance[column] = through
                    before[column] = at
                if distance[column] < shortest:
                    nearest, shortest = column, distance[column]
            at, length = nearest, shortest
            done[at] = True
            row = row_of[at]
        row_price[start] += length
        for column in range(n_columns):
            if done[column] and row_of[column] >= 0:
                row_price[row_of[column]] += length - distance[column]
            if done[column]:
                column_price[column] -= length - distance[column]
        while at >= 0:
            previous = before[at]
            row_of[at] = row_of[previous] if previous >= 0 else start
            column_of[row_of[at]] = at
            at = previous
    return column_of
