"""What makes an hour verifiable by somebody who trusts nobody here: trees, signatures, proofs."""
