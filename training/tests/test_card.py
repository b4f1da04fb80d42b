import pytest

from training.card import Crop, Recipe, canonical_json, encoder_id, recipe_digest


def test_canonical_json_is_that_of_javascript():
    value = {"b": 25000.0, "a": [-573.8, 0.75, -0.0, 1e-5, 0.1, True, None], "c": {"z": "ü", "y": 2}}
    assert canonical_json(value) == '{"a":[-573.8,0.75,0,0.00001,0.1,true,null],"b":25000,"c":{"y":2,"z":"ü"}}'
    with pytest.raises(ValueError, match="no canonical form"):
        canonical_json(1e-7)


def test_the_recipe_digest_is_the_one_that_typescript_computes():
    # test/encoder/card.test.ts holds the same recipe and the same digest.
    recipe = Recipe(crop=Crop(-800.0, 21), spacingFloor=0.000025, patchBudget=25000)
    assert recipe_digest(recipe) == "338313af4dc1cbc8baa73f8b72a09c7daf8063dec6a25106afae2720fbdf8243"
    assert recipe_digest(Recipe(crop=None)) != recipe_digest(Recipe())


def test_weights_and_recipe_both_change_the_id():
    ids = {encoder_id("e", digest, recipe) for digest in ("a", "b") for recipe in ("a", "b")}
    assert len(ids) == 4
    assert all(len(id) == len("e-") + 12 for id in ids)
