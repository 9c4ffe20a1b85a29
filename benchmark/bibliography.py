"""What short references stand for, `M §4.4` or `Higgins et al. 2017`: the page and `show` read it here."""

from __future__ import annotations

import re

DOCUMENTS = {
    "M": "L. Mushom. Disentangled Representations in Variational Autoencoders. Master's thesis, Norwegian University "
    "of Science and Technology, 2020.",
    "R": "M. Rolínek, D. Zietlow, G. Martius. Variational Autoencoders Pursue PCA Directions (by Accident). CVPR 2019, "
    "arXiv:1812.06775.",
    "P": "A. Pește, L. Malagò, S. Sârbu. An Explanatory Analysis of the Geometry of Latent Variables Learned by "
    "Variational Auto-Encoders.",
    "S": "A. Saleh. On Variational Autoencoders: Generative Models for Dimension Reduction. 2019.",
}
"""Documents that docstrings call by a letter before a section, a figure, a table or an equation."""
PAPERS = {
    "Burda et al. 2016": ("Y. Burda, R. Grosse, R. Salakhutdinov. Importance Weighted Autoencoders. ICLR 2016."),
    "Cao et al. 2022": (
        "J. Cao, R. Nai, Q. Yang, J. Huang, Y. Gao. An Empirical Study on Disentanglement of Negative-Free "
        "Contrastive Learning. NeurIPS 2022."
    ),
    "Chen et al. 2018": (
        "R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud. Isolating Sources of Disentanglement in Variational "
        "Autoencoders. 2018, arXiv:1802.04942."
    ),
    "Dapueto et al. 2024": (
        "J. Dapueto, N. Noceti, F. Odone. Transferring Disentangled Representations: Bridging the Gap between "
        "Synthetic and Real Images. NeurIPS 2024."
    ),
    "Do & Tran 2020": (
        "K. Do, T. Tran. Theory and Evaluation Metrics for Learning Disentangled Representations. ICLR 2020."
    ),
    "Duan et al. 2020": (
        "S. Duan, L. Matthey, A. Saraiva, N. Watters, C. P. Burgess, A. Lerchner, I. Higgins. Unsupervised Model "
        "Selection for Variational Disentangled Representation Learning. ICLR 2020."
    ),
    "Eastwood & Williams 2018": (
        "C. Eastwood, C. K. I. Williams. A Framework for the Quantitative Evaluation of Disentangled "
        "Representations. ICLR 2018."
    ),
    "Eastwood et al. 2023": (
        "C. Eastwood, A. L. Nicolicioiu, J. von Kügelgen, A. Kekić, F. Träuble, A. Dittadi, B. Schölkopf. DCI-ES: "
        "An Extended Disentanglement Framework with Connections to Identifiability. ICLR 2023."
    ),
    "Higgins et al. 2017": (
        "I. Higgins, L. Matthey, A. Pal, C. Burgess, X. Glorot, M. Botvinick, S. Mohamed, A. Lerchner. β-VAE: "
        "Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR 2017."
    ),
    "Hoffman & Johnson 2016": (
        "M. D. Hoffman, M. J. Johnson. ELBO Surgery: Yet Another Way to Carve Up the Variational Evidence Lower "
        "Bound. NIPS 2016 workshop on Advances in Approximate Bayesian Inference."
    ),
    "Hsu et al. 2023": (
        "K. Hsu, W. Dorrell, J. C. R. Whittington, J. Wu, C. Finn. Disentanglement via Latent Quantization. "
        "NeurIPS 2023."
    ),
    "Hsu et al. 2024": (
        "K. Hsu, J. I. Hamid, K. Burns, C. Finn, J. Wu. Tripod: Three Complementary Inductive Biases for "
        "Disentangled Representation Learning. ICML 2024."
    ),
    "Hyvärinen & Morioka 2016": (
        "A. Hyvärinen, H. Morioka. Unsupervised Feature Extraction by Time-Contrastive Learning and Nonlinear "
        "ICA. NIPS 2016."
    ),
    "Khemakhem et al. 2020": (
        "I. Khemakhem, D. P. Kingma, R. P. Monti, A. Hyvärinen. Variational Autoencoders and Nonlinear ICA: A "
        "Unifying Framework. AISTATS 2020."
    ),
    "Kim & Mnih 2018": ("H. Kim, A. Mnih. Disentangling by Factorising. ICML 2018, arXiv:1802.05983."),
    "Kumar et al. 2018": (
        "A. Kumar, P. Sattigeri, A. Balakrishnan. Variational Inference of Disentangled Latent Concepts from "
        "Unlabeled Observations. ICLR 2018, arXiv:1711.00848."
    ),
    "Li & Turner 2016": ("Y. Li, R. E. Turner. Rényi Divergence Variational Inference. NIPS 2016."),
    "Li et al. 2020": (
        "Z. Li, J. V. Murkute, P. K. Gyawali, L. Wang. Progressive Learning and Disentanglement of Hierarchical "
        "Representations. ICLR 2020."
    ),
    "Locatello et al. 2019": (
        "F. Locatello, S. Bauer, M. Lucic, G. Rätsch, S. Gelly, B. Schölkopf, O. Bachem. Challenging Common "
        "Assumptions in the Unsupervised Learning of Disentangled Representations. ICML 2019, arXiv:1811.12359."
    ),
    "Mahon et al. 2023": (
        "L. Mahon, L. Sha, T. Lukasiewicz. Correcting Flaws in Common Disentanglement Metrics. 2023, arXiv:2304.02335."
    ),
    "Ridgeway & Mozer 2018": (
        "K. Ridgeway, M. C. Mozer. Learning Deep Disentangled Embeddings with the F-Statistic Loss. NeurIPS 2018."
    ),
    "Schott et al. 2022": (
        "L. Schott, J. von Kügelgen, F. Träuble, P. Gehler, C. Russell, M. Bethge, B. Schölkopf, F. Locatello, "
        "W. Brendel. Visual Representation Learning Does Not Generalize Strongly Within the Same Domain. ICLR 2022."
    ),
    "Sepliarskaia et al. 2019": (
        "A. Sepliarskaia, J. Kiseleva, M. de Rijke. Evaluating Disentangled Representations. 2019, arXiv:1910.05587."
    ),
    "Suter et al. 2019": (
        "R. Suter, Đ. Miladinović, B. Schölkopf, S. Bauer. Robustly Disentangled Causal Mechanisms: Validating "
        "Deep Representations for Interventional Robustness. ICML 2019."
    ),
    "Vinh et al. 2010": (
        "N. X. Vinh, J. Epps, J. Bailey. Information Theoretic Measures for Clusterings Comparison: Variants, "
        "Properties, Normalization and Correction for Chance. JMLR 11, 2010."
    ),
}
LETTER = re.compile(r"\b([MRPS]) (?:§|Figs?\.|eqs?\.|Tables?\b|supplement)")


def sources(text: str) -> dict[str, str]:
    """The full citation of each short reference in a text, by its key, in the order in which they stand there."""
    plain = " ".join(text.split())
    places = {key: plain.find(key) for key in PAPERS if key in plain}
    for match in LETTER.finditer(plain):
        places.setdefault(match[1], match.start())
    return {key: (PAPERS | DOCUMENTS)[key] for key in sorted(places, key=places.__getitem__)}
