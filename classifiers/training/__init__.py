"""What is needed to make weights and never to use them: torch, transformers and scikit-learn live here alone."""
