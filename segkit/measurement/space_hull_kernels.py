"""Compiled loops for convex hulls in space: of the middles of voxel faces, exactly.

Points are wrapped one after the other: each point outside of the hull of those before
is kept with one face that it lies beyond; of the points of a face, the farthest is
taken next, and the faces that it lies beyond are replaced by those from their rim to
it. Source: Barber, C. B., Dobkin, D. P. and Huhdanpaa, H. "The Quickhull algorithm for
convex hulls", ACM Transactions on Mathematical Software 22:469-483, 1996.

Places are whole numbers, in halves of voxels, and so are all that is computed from
them: what lies in the plane of a face is known to, and is not beyond it. The hull of
one voxel's middles is none that is flat, and so no hull is.

`faces` are, for each face: its three corners (numbers of points), seen from outside
against the clock; its plane (normal, distance); the faces at its sides, side k from
corner k on; the first of its points, or -1; and whether it is there. Then there are
lists of faces, a row each, and their lengths; the last of these says how many faces
have been in use.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel

LISTS = 6
# The row of marks is no list: it says of each face whether it waits.
_WAITING, _FREE, _SEEN, _RIM, _NEW, _MARKS = range(LISTS)
_GONE, _THERE, _LISTED = range(3)


@kernel
def find_rows(voxels, starts, lengths, lines, begin, points, faces, first, last):
    """Find the rows of the hulls of objects; return where there was no room left.

    Parameters
    ----------
    voxels
        Of all objects, from the start of the object's box on, shape (voxels, 3).
    starts
        Where each object's voxels start, and the number of voxels.
    lengths
        Of the box of each object, shape (objects, 3).
    lines
        Where each object's rows start.
    begin
        The object to begin with.
    points
        Scratch: places of six points for each voxel, what follows each in its list, and
        the face that begins at it.
    faces
        Scratch; see above.
    first, last
        Receive the first and last voxel of each row; of one that has none, the last
        comes first.
    """
    for number in range(begin, starts.size - 1):
        count = _middles(voxels, starts[number], starts[number + 1], points[0])
        if not _wrap(points, count, faces):
            return number
        _rows_within(lengths[number], faces, lines[number], first, last)
    return starts.size - 1


@kernel
def _middles(voxels, start, stop, places):
    """Write the middles of the faces of voxels, in halves of voxels."""
    count = 0
    for voxel in range(start, stop):
        for axis in range(3):
            for side in range(-1, 2, 2):
                for other in range(3):
                    places[count, other] = 2 * voxels[voxel, other]
                places[count, axis] += side
                count += 1
    return count


@kernel
def _wrap(points, count, faces):
    """Make the faces of the hull of points; return False if there is no room."""
    _, _, _, heads, states, lists, sizes = faces
    states[:] = _GONE
    lists[_MARKS, :] = 0
    sizes[:] = 0
    _begin(points, count, faces)
    while sizes[_WAITING] > 0:
        sizes[_WAITING] -= 1
        face = lists[_WAITING, sizes[_WAITING]]
        lists[_MARKS, face] = 0
        if states[face] == _GONE or heads[face] < 0:
            continue
        point = _farthest(points, faces, face)
        if not _see(points, faces, face, point):
            return False
        _cover(points, faces, point)
        for k in range(sizes[_SEEN]):
            seen = lists[_SEEN, k]
            _share_out(points, faces, heads[seen])
            states[seen] = _GONE
            lists[_FREE, sizes[_FREE]] = seen
            sizes[_FREE] += 1
        _await_new(faces)
    return True


@kernel
def _await_new(faces):
    """Let new faces wait that have points and do not wait already."""
    _, _, _, heads, _, lists, sizes = faces
    for k in range(sizes[_NEW]):
        face = lists[_NEW, k]
        if heads[face] >= 0 and lists[_MARKS, face] == 0:
            lists[_MARKS, face] = 1
            lists[_WAITING, sizes[_WAITING]] = face
            sizes[_WAITING] += 1


@kernel
def _begin(points, count, faces):
    """Make the faces of the first voxel's middles, and give them the other points."""
    _, _, near, _, _, lists, sizes = faces
    for face in range(8):
        # Corners of an octahedron: one of two on each axis, by the bits of the face.
        z, y, x = face >> 2, 2 + (face >> 1 & 1), 4 + (face & 1)
        turned = ((face >> 2) + (face >> 1) + face) & 1
        _make(points, faces, face, z, y if turned else x, x if turned else y)
        # The side opposite to a corner is shared with the face that has the other one.
        near[face, 0] = face ^ (1 if turned else 2)
        near[face, 1] = face ^ 4
        near[face, 2] = face ^ (2 if turned else 1)
        lists[_NEW, face] = face
    sizes[_NEW] = 8
    sizes[LISTS] = 8
    for point in range(6, count):
        points[1][point] = point + 1 if point + 1 < count else -1
    _share_out(points, faces, 6 if count > 6 else -1)
    _await_new(faces)


@kernel
def _make(points, faces, face, a, b, c):
    """Make a face of three points, seen from outside against the clock."""
    corners, planes, _, heads, states, _, _ = faces
    places = points[0]
    corners[face, 0], corners[face, 1], corners[face, 2] = a, b, c
    planes[face, 3] = 0
    for axis in range(3):
        p, q = (axis + 1) % 3, (axis + 2) % 3
        normal = (places[b, p] - places[a, p]) * (places[c, q] - places[a, q])
        normal -= (places[b, q] - places[a, q]) * (places[c, p] - places[a, p])
        planes[face, axis] = normal
        planes[face, 3] += normal * places[a, axis]
    heads[face] = -1
    states[face] = _THERE


@kernel
def _beyond(plane, place):
    """Return how far a place lies beyond a plane, in units of the plane."""
    across = plane[0] * place[0] + plane[1] * place[1] + plane[2] * place[2]
    return across - plane[3]


@kernel
def _farthest(points, faces, face):
    """Return the point of a face that is the farthest from it."""
    places, following, _ = points
    point = faces[3][face]
    best, largest = point, 0
    while point >= 0:
        distance = _beyond(faces[1][face], places[point])
        if distance > largest:
            best, largest = point, distance
        point = following[point]
    return best


@kernel
def _see(points, faces, face, point):
    """List the faces that a point lies beyond, from one of them on, and their rim.

    Return False if there is no room for as many faces as the rim has sides.
    """
    _, planes, near, _, states, lists, sizes = faces
    place = points[0][point]
    lists[_SEEN, 0] = face
    states[face] = _LISTED
    seen, sizes[_SEEN], sizes[_RIM] = 0, 1, 0
    while seen < sizes[_SEEN]:
        own = lists[_SEEN, seen]
        seen += 1
        for side in range(3):
            other = near[own, side]
            if states[other] == _LISTED:
                continue
            if _beyond(planes[other], place) > 0:
                states[other] = _LISTED
                lists[_SEEN, sizes[_SEEN]] = other
                sizes[_SEEN] += 1
            else:
                lists[_RIM, sizes[_RIM]] = 3 * own + side
                sizes[_RIM] += 1
    return sizes[LISTS] + sizes[_RIM] <= states.size


@kernel
def _cover(points, faces, point):
    """Make faces from the rim of what is seen to a point."""
    corners, _, near, _, _, lists, sizes = faces
    begins = points[2]
    for k in range(sizes[_RIM]):
        own, side = lists[_RIM, k] // 3, lists[_RIM, k] % 3
        a, b = corners[own, side], corners[own, (side + 1) % 3]
        other = near[own, side]
        if sizes[_FREE] > 0:
            sizes[_FREE] -= 1
            face = lists[_FREE, sizes[_FREE]]
        else:
            face = sizes[LISTS]
            sizes[LISTS] += 1
        _make(points, faces, face, a, b, point)
        near[face, 0] = other
        for back in range(3):
            if corners[other, back] == b:
                near[other, back] = face
        begins[a] = face
        lists[_NEW, k] = face
    sizes[_NEW] = sizes[_RIM]
    for k in range(sizes[_NEW]):
        face = lists[_NEW, k]
        after = begins[corners[face, 1]]
        near[face, 1] = after
        near[after, 2] = face


@kernel
def _share_out(points, faces, point):
    """Give points, from one on, each to a new face that it lies beyond, if any."""
    _, planes, _, heads, _, lists, sizes = faces
    places, following, _ = points
    while point >= 0:
        after = following[point]
        for k in range(sizes[_NEW]):
            face = lists[_NEW, k]
            if _beyond(planes[face], places[point]) > 0:
                following[point] = heads[face]
                heads[face] = point
                break
        point = after


@kernel
def _rows_within(lengths, faces, line, first, last):
    """Write the first and last voxel of each row of a box that is within all faces."""
    planes, states, used = faces[1], faces[4], faces[6][LISTS]
    for z in range(lengths[0]):
        for y in range(lengths[1]):
            start, stop = 0, lengths[2] - 1
            for face in range(used):
                if states[face] == _GONE:
                    continue
                away = 2 * planes[face, 2]
                rest = planes[face, 3]
                rest -= 2 * (planes[face, 0] * z + planes[face, 1] * y)
                if away > 0 and away * stop > rest:
                    stop = rest // away
                elif away < 0 and away * start > rest:
                    start = -(rest // -away)
                elif away == 0 and rest < 0:
                    stop = -1
                if start > stop:
                    break
            first[line], last[line] = start, stop
            line += 1
