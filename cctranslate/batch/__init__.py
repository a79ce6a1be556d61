"""The half that needs onnxruntime and never torch: from pictures to translated faces."""
