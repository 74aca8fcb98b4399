"""Groups, polynomials and verifiable sharing, thin over native libraries."""
