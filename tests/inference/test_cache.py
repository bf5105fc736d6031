"""The byte-bounded cache."""

from hypothesis import given
from hypothesis import strategies as st

from inference.cache import ByteCache


def test_the_value_not_used_for_longest_goes_first() -> None:
    cache: ByteCache[str] = ByteCache(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 4)
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


def test_a_value_larger_than_the_limit_is_not_kept() -> None:
    cache: ByteCache[str] = ByteCache(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 11)
    assert (cache.get("a"), cache.get("b")) == ("A", None)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12))))
def test_never_more_than_the_limit(puts: list[tuple[int, int]]) -> None:
    cache: ByteCache[int] = ByteCache(10)
    sizes: dict[int, int] = {}
    for key, size in puts:
        cache.put(key, size, size)
        sizes[key] = size
        kept = {key for key in sizes if cache.get(key) is not None}
        assert cache.used_bytes == sum(sizes[key] for key in kept) <= 10
