"""OpenVINO: inference."""
