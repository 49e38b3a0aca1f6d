import numpy as np
import pytest

from kerata import ops, visualization

IMAGES = np.full((3, 24, 30, 3), 100, "uint8")
BOXES = {
    "boxes": np.array([[[5, 4, 20, 15], [1, 1, 9, 9]]] * 3, "float32"),
    "labels": np.array([[1, -1]] * 3),
}


def test_boxes_stand_where_they_are(backend):
    pytest.importorskip("PIL")
    images = ops.convert_to_tensor(IMAGES)
    boxes = {k: ops.convert_to_tensor(v) for k, v in BOXES.items()}
    found = visualization.draw_bounding_boxes(images, boxes, "xyxy", color=(255, 0, 7))
    assert found.dtype == np.uint8
    assert found[0, 4, 5].tolist() == [255, 0, 7] == found[0, 15, 20].tolist()
    rows, columns = np.nonzero((found[0] != 100).any(-1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 15, 5, 20)
    assert (found[0, 7:12, 8:17] == 100).all()


@pytest.mark.parametrize("kind", ["rel_xywh", "center_yxhw"])
def test_boxes_in_other_formats(kind):
    pytest.importorskip("PIL")
    from kerata.utils.bounding_boxes import convert_format

    other = {**BOXES, "boxes": convert_format(BOXES["boxes"], "xyxy", kind, 24, 30)}
    first = np.moveaxis(IMAGES, -1, 1)
    found = visualization.draw_bounding_boxes(first, other, kind, data_format="channels_first")
    assert np.array_equal(found, visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy"))


def test_names_of_classes_are_written():
    pytest.importorskip("PIL")
    large = np.zeros((1, 60, 90, 3))
    boxes = {"boxes": np.array([[[10.0, 30, 50, 50]]]), "labels": np.array([[2]])}
    plain = visualization.draw_bounding_boxes(large, boxes, "xyxy")
    named = visualization.draw_bounding_boxes(large, boxes, "xyxy", {2: "cat"})
    assert not plain[0, :28].any()
    assert named[0, 10:30, 8:40].any()


def test_masks(keras):
    masks = np.zeros((3, 24, 30, 1), "int32")
    masks[:, :10, :10], masks[:, 10:, 10:], masks[:, 20:, :5] = 1, 2, -1
    for arguments in ({}, {"alpha": 0.5}, {"ignore_index": 0}):
        masks = np.maximum(masks, 0) if "ignore_index" in arguments else masks
        theirs = keras.visualization.draw_segmentation_masks(IMAGES, masks, 3, **arguments)
        ours = visualization.draw_segmentation_masks(IMAGES, masks, 3, **arguments)
        assert np.array_equal(ours, theirs)
        assert np.array_equal(
            ours, visualization.draw_segmentation_masks(IMAGES, masks[..., 0], **arguments)
        )
    painted = visualization.draw_segmentation_masks(IMAGES, masks, 3, {1: (9, 8, 7)}, blend=False)
    assert painted[0, 0, 0].tolist() == [9, 8, 7]


def test_galleries(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    pytest.importorskip("PIL")
    files = [tmp_path / f"{i}.png" for i in range(3)]
    visualization.plot_image_gallery(
        IMAGES / 255, np.array([0, 1, 2]), [1, 1, 1], {1: "b"}, value_range=(0, 1), path=files[0]
    )
    visualization.plot_bounding_box_gallery(
        IMAGES, "xyxy", BOXES, BOXES, class_mapping={1: "b"}, legend=True, path=files[1]
    )
    masks = np.zeros((3, 24, 30), "int32")
    visualization.plot_segmentation_mask_gallery(IMAGES, 2, y_true=masks, path=files[2], cols=3)
    assert all(file.stat().st_size > 300 for file in files)
    with pytest.raises(ValueError, match="not both"):
        visualization.plot_image_gallery(IMAGES, path=files[0], show=True)


def test_errors():
    with pytest.raises(ValueError, match=r"batch with 4 axes; got the shape \(24, 30, 3\)"):
        visualization.draw_segmentation_masks(IMAGES[0], np.zeros((24, 30), "int32"))
    with pytest.raises(ValueError, match="must have the images' sizes"):
        visualization.draw_segmentation_masks(IMAGES, np.zeros((3, 24, 29), "int32"))
    with pytest.raises(ValueError, match="dict of 'boxes' and 'labels'"):
        visualization.draw_bounding_boxes(IMAGES, BOXES["boxes"], "xyxy")
