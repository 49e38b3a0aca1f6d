from kerata import layers


def test_the_name_of_keras_2():
    layer = layers.LeakyReLU(alpha=0.2)
    config = layer.get_config()
    assert config["negative_slope"] == 0.2 and "alpha" not in config
    assert layers.LeakyReLU.from_config(config).negative_slope == 0.2
