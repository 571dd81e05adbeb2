"""What runs a frozen graph: TensorFlow, OpenVINO or LiteRT, behind one `Graph`."""
