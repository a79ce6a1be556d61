"""The half that needs onnxruntime and never torch: from pictures and a bundle to translated faces."""
