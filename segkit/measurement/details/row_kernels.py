"""Compiled collection of what objects have any number of: runs and intensities."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel
from segkit.measurement.kernels import find_runs


@kernel
def write_runs(labels, starts, width, runs, state):
    """Write the label, row of the box, first place and length of each run.

    Parameters
    ----------
    labels
        The whole array, flat.
    starts, width
        Where each row of the box starts, and how long it is.
    runs
        Receives the runs in raster order, shape (4, any).
    state
        The row to go on with, and how many runs there are; zeros at first. It is a row
        of the box if there is no room for its runs: call it again with more. Behind
        these two, scratch for each voxel of a row, and one more.
    """
    row, found, begins = state[0], state[1], state[2:]
    count = 1
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        count = find_runs(line, count, begins)
        if found + count > runs.shape[1]:
            break
        for run in range(count):
            start = begins[run]
            if line[start] != 0:
                runs[0, found], runs[1, found] = line[start], row
                runs[2, found], runs[3, found] = start, begins[run + 1] - start
                found += 1
        row += 1
    state[0], state[1] = row, found


@kernel
def write_rows(name, number, start, length, order, rows):
    """Write the rows that runs make; return how many.

    Parameters
    ----------
    name, number, start, length
        The label of each run, its line in the image, its place there, its length.
    order
        By label, then in raster order.
    rows
        Receives the rows; see `segkit.measurement.details.rows` for its columns.
    """
    count = 0
    for k in order:
        x, n = start[k], length[k]
        one = n * (n - 1) // 2
        two = one * (2 * n - 1) // 3
        first, rest = n * x + one, x * one + two
        second = x * first + rest
        third = x * (second + rest) + x * two + one * one
        last = count - 1
        if count and rows[last, 0] == name[k] and rows[last, 1] == number[k]:
            rows[last, 2] += n
            rows[last, 3] += first
            rows[last, 4] += second
            rows[last, 5] += third
            rows[last, 7] = x + n - 1
        else:
            rows[count, 0], rows[count, 1], rows[count, 2] = name[k], number[k], n
            rows[count, 3], rows[count, 4], rows[count, 5] = first, second, third
            rows[count, 6], rows[count, 7] = x, x + n - 1
            count += 1
    return count


@kernel
def count_intensities(
    labels, intensity, starts, begins, slots, lowest, counts, present, found
):
    """Count, for each object, how often it has which intensity; list what there is.

    Returns how many entries the list has.

    Parameters
    ----------
    labels, intensity
        The whole arrays, flat.
    starts
        Where each row of the box starts.
    begins
        Scratch for each voxel of a row, and one more.
    slots
        For each label the row of its object in `counts`.
    lowest
        The intensity of the first column.
    counts
        Zeros at first; row 0 is the background's, and stays so.
    present
        For each row of `counts` the label of its object.
    found
        Receives labels, intensities and counts, of the rows in order: three arrays,
        with room for all counts that are not 0.
    """
    count = 1
    for row in range(starts.size):
        line = labels[starts[row] : starts[row] + begins.size - 1]
        count = find_runs(line, count, begins)
        for run in range(count):
            begin, end, name = begins[run], begins[run + 1], line[begins[run]]
            if name != 0:
                own = counts[slots[name]]
                for value in intensity[starts[row] + begin : starts[row] + end]:
                    own[value - lowest] += 1
    number, (names, grey, often) = 0, found
    for slot in range(1, counts.shape[0]):
        name = present[slot]
        for place in range(counts.shape[1]):
            if counts[slot, place] != 0:
                names[number], grey[number] = name, lowest + place
                often[number] = counts[slot, place]
                number += 1
    return number


@kernel
def weigh_runs(intensity, starts, place, length, stretch, found):
    """Sum intensities times powers 0 to 3 of places, for each part of a run.

    It calls no other kernel, so that Python runs it, too, where numba does not.

    Parameters
    ----------
    intensity
        The whole array, flat.
    starts
        Where each run starts in it.
    place, length
        Where on its line, and how many voxels it has.
    stretch
        Every so many places of a line, another part begins; places count from the
        middle between.
    found
        Receives the sums, shape (parts, 4).
    """
    part = 0
    for run in range(starts.size):
        at, x = starts[run], place[run]
        end = x + length[run]
        while x < end:
            stop = min(end, x - x % stretch + stretch)
            middle = x - x % stretch + stretch // 2
            n = a = b = c = 0 * intensity[at]
            for u in range(x - middle, stop - middle):
                value = 1 * intensity[at]
                n += value
                a += value * u
                b += value * (u * u)
                c += value * (u * u * u)
                at += 1
            found[part, 0], found[part, 1] = n, a
            found[part, 2], found[part, 3] = b, c
            part, x = part + 1, stop


@kernel
def find_powers(owner, place, voxels, sums, low, centre, cubes, terms, places):
    """Find the sums of powers of places of each row, from the centre of its object on.

    Parameters
    ----------
    owner, place, voxels, sums
        See `segkit.measurement.details.rows.ObjectRows`.
    low, centre
        The start of each object's box, and from there on its centre (float64).
    cubes
        Of the centre on the last axis.
    terms
        Receives the sums of powers 0 to 3 on the last axis, shape (4, rows).
    places
        Receives the places on the other axes, shape (axes - 1, rows).
    """
    last = place.shape[1]
    for row in range(owner.size):
        own = owner[row]
        for axis in range(last):
            places[axis, row] = place[row, axis] - low[own, axis] - centre[own, axis]
        start, shift, count = low[own, last], centre[own, last], voxels[row]
        one, two, three = sums[row, 0], sums[row, 1], sums[row, 2]
        # Modulo 2**64 up to here: from the box's start on they are small again.
        a = float(one - count * start)
        b = float(two - 2 * start * one + count * (start * start))
        c = 3 * (start * start) * one - count * (start * start * start)
        c = float(three - 3 * start * two + c)
        n, squared = float(count), shift * shift
        terms[0, row] = n
        terms[1, row] = a - n * shift
        terms[2, row] = b - 2 * shift * a + n * squared
        terms[3, row] = c - 3 * shift * b + 3 * squared * a - n * cubes[own]


@kernel
def find_quantiles(names, values, counts, labels, share, found):
    """Find a quantile of the intensities of each object, as `numpy.quantile` does.

    It calls no other kernel, so that Python runs it, too, where numba does not.

    Parameters
    ----------
    names, values, counts
        See `segkit.measurement.details.quantiles.Intensities`; values are float64.
    labels
        Of the objects, rising; each has intensities.
    share
        0 is the lowest, 0.5 the median, 1 the highest.
    found
        Receives one for each.
    """
    k = 0
    for number in range(labels.size):
        while names[k] != labels[number]:
            k += 1
        total, stop = 0, k
        while stop < names.size and names[stop] == labels[number]:
            total += counts[stop]
            stop += 1
        place = (total - 1) * share
        below = int(place)
        part, before = place - below, counts[k]
        while before <= below:
            k += 1
            before += counts[k]
        low = high = values[k]
        if before == below + 1 and k + 1 < stop:
            high = values[k + 1]
        # From the nearer end, so that equal ones stay what they are.
        if part < 0.5:
            found[number] = low + (high - low) * part
        else:
            found[number] = high - (high - low) * (1 - part)
        k = stop
