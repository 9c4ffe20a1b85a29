"""What short references stand for, `M §4.4` or `Higgins et al. 2017`: the page and `show` read it here."""

from __future__ import annotations

import re

from benchmark import registry
from benchmark.registry import Kind

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
    "Barber 2012": "D. Barber. Bayesian Reasoning and Machine Learning. Cambridge University Press, 2012.",
    "Belkin & Niyogi 2003": (
        "M. Belkin, P. Niyogi. Laplacian Eigenmaps for Dimensionality Reduction and Data Representation. Neural "
        "Computation 15, 2003."
    ),
    "Bouchacourt et al. 2018": (
        "D. Bouchacourt, R. Tomioka, S. Nowozin. Multi-Level Variational Autoencoder: Learning Disentangled "
        "Representations from Grouped Observations. AAAI 2018, arXiv:1705.08841."
    ),
    "Burda et al. 2016": "Y. Burda, R. Grosse, R. Salakhutdinov. Importance Weighted Autoencoders. ICLR 2016.",
    "Burgess & Kim 2018": "C. Burgess, H. Kim. 3D Shapes Dataset. 2018, github.com/google-deepmind/3d-shapes.",
    "Burgess et al. 2018": (
        "C. P. Burgess, I. Higgins, A. Pal, L. Matthey, N. Watters, G. Desjardins, A. Lerchner. Understanding "
        "Disentangling in β-VAE. 2018, arXiv:1804.03599."
    ),
    "Cao et al. 2022": (
        "J. Cao, R. Nai, Q. Yang, J. Huang, Y. Gao. An Empirical Study on Disentanglement of Negative-Free "
        "Contrastive Learning. NeurIPS 2022."
    ),
    "Carbonneau et al. 2022": (
        "M.-A. Carbonneau, J. Zaïdi, J. Boilard, G. Gagnon. Measuring Disentanglement: A Review of Metrics. IEEE "
        "Transactions on Neural Networks and Learning Systems, 2022, arXiv:2012.09276."
    ),
    "Chen et al. 2018": (
        "R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud. Isolating Sources of Disentanglement in Variational "
        "Autoencoders. 2018, arXiv:1802.04942."
    ),
    "Dai et al. 2018": (
        "B. Dai, Y. Wang, J. Aston, G. Hua, D. Wipf. Connections with Robust PCA and the Role of Emergent Sparsity in "
        "Variational Autoencoder Models. JMLR 19, 2018."
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
        "C. Eastwood, C. K. I. Williams. A Framework for the Quantitative Evaluation of Disentangled Representations. "
        "ICLR 2018."
    ),
    "Eastwood et al. 2023": (
        "C. Eastwood, A. L. Nicolicioiu, J. von Kügelgen, A. Kekić, F. Träuble, A. Dittadi, B. Schölkopf. DCI-ES: An "
        "Extended Disentanglement Framework with Connections to Identifiability. ICLR 2023."
    ),
    "Efros et al. 2004": "A. A. Efros, V. Isler, J. Shi, M. Visontai. Seeing through Water. NIPS 2004.",
    "Gao et al. 2017": (
        "W. Gao, S. Kannan, S. Oh, P. Viswanath. Estimating Mutual Information for Discrete-Continuous Mixtures. "
        "NIPS 2017."
    ),
    "Gondal et al. 2019": (
        "M. W. Gondal, M. Wüthrich, Đ. Miladinović, F. Locatello, M. Breidt, V. Volchkov, J. Akpo, O. Bachem, B. "
        "Schölkopf, S. Bauer. On the Transfer of Inductive Bias from Simulation to the Real World: a New "
        "Disentanglement Dataset. NeurIPS 2019."
    ),
    "Goodfellow et al. 2014": (
        "I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio. "
        "Generative Adversarial Nets. NIPS 2014."
    ),
    "Hadsell et al. 2006": (
        "R. Hadsell, S. Chopra, Y. LeCun. Dimensionality Reduction by Learning an Invariant Mapping. CVPR 2006."
    ),
    "Higgins et al. 2017": (
        "I. Higgins, L. Matthey, A. Pal, C. Burgess, X. Glorot, M. Botvinick, S. Mohamed, A. Lerchner. β-VAE: "
        "Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR 2017."
    ),
    "Hoffman & Johnson 2016": (
        "M. D. Hoffman, M. J. Johnson. ELBO Surgery: Yet Another Way to Carve Up the Variational Evidence Lower "
        "Bound. NIPS 2016 workshop on Advances in Approximate Bayesian Inference."
    ),
    "Hosoya 2019": (
        "H. Hosoya. Group-based Learning of Disentangled Representations with Generalizability for Novel Contents. "
        "IJCAI 2019, arXiv:1809.02383."
    ),
    "Hsu et al. 2023": (
        "K. Hsu, W. Dorrell, J. C. R. Whittington, J. Wu, C. Finn. Disentanglement via Latent Quantization. NeurIPS "
        "2023."
    ),
    "Hsu et al. 2024": (
        "K. Hsu, J. I. Hamid, K. Burns, C. Finn, J. Wu. Tripod: Three Complementary Inductive Biases for Disentangled "
        "Representation Learning. ICML 2024."
    ),
    "Hyvärinen & Morioka 2016": (
        "A. Hyvärinen, H. Morioka. Unsupervised Feature Extraction by Time-Contrastive Learning and Nonlinear ICA. "
        "NIPS 2016."
    ),
    "Hyvärinen & Oja 2000": (
        "A. Hyvärinen, E. Oja. Independent Component Analysis: Algorithms and Applications. Neural Networks 13, 2000."
    ),
    "Julka et al. 2024": (
        "S. Julka, Y. Wang, M. Granitzer. Towards an Improved Metric for Evaluating Disentangled Representations. "
        "2024, arXiv:2410.03056."
    ),
    "Khemakhem et al. 2020": (
        "I. Khemakhem, D. P. Kingma, R. P. Monti, A. Hyvärinen. Variational Autoencoders and Nonlinear ICA: A "
        "Unifying Framework. AISTATS 2020."
    ),
    "Kim & Mnih 2018": "H. Kim, A. Mnih. Disentangling by Factorising. ICML 2018, arXiv:1802.05983.",
    "Kingma & Welling 2014": "D. P. Kingma, M. Welling. Auto-Encoding Variational Bayes. ICLR 2014.",
    "Kingma et al. 2016": (
        "D. P. Kingma, T. Salimans, R. Jozefowicz, X. Chen, I. Sutskever, M. Welling. Improved Variational Inference "
        "with Inverse Autoregressive Flow. NIPS 2016."
    ),
    "Kumar et al. 2018": (
        "A. Kumar, P. Sattigeri, A. Balakrishnan. Variational Inference of Disentangled Latent Concepts from "
        "Unlabeled Observations. ICLR 2018, arXiv:1711.00848."
    ),
    "LeCun et al. 1998": (
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-Based Learning Applied to Document Recognition. "
        "Proceedings of the IEEE 86, 1998."
    ),
    "LeCun et al. 2004": (
        "Y. LeCun, F. J. Huang, L. Bottou. Learning Methods for Generic Object Recognition with Invariance to Pose "
        "and Lighting. CVPR 2004."
    ),
    "Lee & Seung 1999": (
        "D. D. Lee, H. S. Seung. Learning the Parts of Objects by Non-negative Matrix Factorization. Nature 401, 1999."
    ),
    "Li & Turner 2016": "Y. Li, R. E. Turner. Rényi Divergence Variational Inference. NIPS 2016.",
    "Li et al. 2020": (
        "Z. Li, J. V. Murkute, P. K. Gyawali, L. Wang. Progressive Learning and Disentanglement of Hierarchical "
        "Representations. ICLR 2020."
    ),
    "Locatello et al. 2019": (
        "F. Locatello, S. Bauer, M. Lucic, G. Rätsch, S. Gelly, B. Schölkopf, O. Bachem. Challenging Common "
        "Assumptions in the Unsupervised Learning of Disentangled Representations. ICML 2019, arXiv:1811.12359."
    ),
    "Locatello et al. 2020": (
        "F. Locatello, B. Poole, G. Rätsch, B. Schölkopf, O. Bachem, M. Tschannen. Weakly-Supervised Disentanglement "
        "Without Compromises. ICML 2020, arXiv:2002.02886."
    ),
    "Maaten & Hinton 2008": "L. van der Maaten, G. Hinton. Visualizing Data Using t-SNE. JMLR 9, 2008.",
    "Mahon et al. 2023": (
        "L. Mahon, L. Sha, T. Lukasiewicz. Correcting Flaws in Common Disentanglement Metrics. 2023, arXiv:2304.02335."
    ),
    "Makhzani et al. 2015": (
        "A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey. Adversarial Autoencoders. 2015, arXiv:1511.05644."
    ),
    "Mathieu et al. 2019": (
        "E. Mathieu, T. Rainforth, N. Siddharth, Y. W. Teh. Disentangling Disentanglement in Variational "
        "Autoencoders. ICML 2019."
    ),
    "Mescheder et al. 2017": (
        "L. Mescheder, S. Nowozin, A. Geiger. Adversarial Variational Bayes: Unifying Variational Autoencoders and "
        "Generative Adversarial Networks. ICML 2017."
    ),
    "Montero et al. 2021": (
        "M. L. Montero, C. J. H. Ludwig, R. P. Costa, G. Malhotra, J. S. Bowers. The Role of Disentanglement in "
        "Generalisation. ICLR 2021."
    ),
    "Nie et al. 2020": (
        "W. Nie, T. Karras, A. Garg, S. Debnath, A. Patney, A. B. Patel, A. Anandkumar. Semi-Supervised StyleGAN for "
        "Disentanglement Learning. ICML 2020."
    ),
    "Peebles et al. 2020": (
        "W. Peebles, J. Peebles, J.-Y. Zhu, A. A. Efros, A. Torralba. The Hessian Penalty: A Weak Prior for "
        "Unsupervised Disentanglement. ECCV 2020, arXiv:2008.10599."
    ),
    "Reed et al. 2015": "S. Reed, Y. Zhang, Y. Zhang, H. Lee. Deep Visual Analogy-Making. NIPS 2015.",
    "Ridgeway & Mozer 2018": (
        "K. Ridgeway, M. C. Mozer. Learning Deep Disentangled Embeddings with the F-Statistic Loss. NeurIPS 2018."
    ),
    "Rolínek et al. 2019": (
        "M. Rolínek, D. Zietlow, G. Martius. Variational Autoencoders Pursue PCA Directions (by Accident). CVPR 2019, "
        "arXiv:1812.06775."
    ),
    "Roth et al. 2023": (
        "K. Roth, M. Ibrahim, Z. Akata, P. Vincent, D. Bouchacourt. Disentanglement of Correlated Factors via "
        "Hausdorff Factorized Support. ICLR 2023, arXiv:2210.07347."
    ),
    "Ross 2014": "B. C. Ross. Mutual Information between Discrete and Continuous Data Sets. PLoS ONE 9(2), 2014.",
    "Roweis & Saul 2000": (
        "S. T. Roweis, L. K. Saul. Nonlinear Dimensionality Reduction by Locally Linear Embedding. Science 290, 2000."
    ),
    "Schott et al. 2022": (
        "L. Schott, J. von Kügelgen, F. Träuble, P. Gehler, C. Russell, M. Bethge, B. Schölkopf, F. Locatello, W. "
        "Brendel. Visual Representation Learning Does Not Generalize Strongly Within the Same Domain. ICLR 2022."
    ),
    "Schölkopf et al. 1998": (
        "B. Schölkopf, A. Smola, K.-R. Müller. Nonlinear Component Analysis as a Kernel Eigenvalue Problem. Neural "
        "Computation 10, 1998."
    ),
    "Sepliarskaia et al. 2019": (
        "A. Sepliarskaia, J. Kiseleva, M. de Rijke. Evaluating Disentangled Representations. 2019, arXiv:1910.05587."
    ),
    "Silverman 1986": "B. W. Silverman. Density Estimation for Statistics and Data Analysis. Chapman & Hall, 1986.",
    "Sinz & Bethge 2010": "F. Sinz, M. Bethge. Lp-Nested Symmetric Distributions. JMLR 11, 2010.",
    "Stühmer et al. 2019": (
        "J. Stühmer, R. E. Turner, S. Nowozin. Independent Subspace Analysis for Unsupervised Learning of "
        "Disentangled Representations. 2019, arXiv:1909.05063."
    ),
    "Suter et al. 2019": (
        "R. Suter, Đ. Miladinović, B. Schölkopf, S. Bauer. Robustly Disentangled Causal Mechanisms: Validating Deep "
        "Representations for Interventional Robustness. ICML 2019."
    ),
    "Tenenbaum et al. 2000": (
        "J. B. Tenenbaum, V. de Silva, J. C. Langford. A Global Geometric Framework for Nonlinear Dimensionality "
        "Reduction. Science 290, 2000."
    ),
    "Tolstikhin et al. 2018": (
        "I. Tolstikhin, O. Bousquet, S. Gelly, B. Schölkopf. Wasserstein Auto-Encoders. ICLR 2018."
    ),
    "Träuble et al. 2021": (
        "F. Träuble, E. Creager, N. Kilbertus, F. Locatello, A. Dittadi, A. Goyal, B. Schölkopf, S. Bauer. On "
        "Disentangled Representations Learned from Correlated Data. ICML 2021, arXiv:2006.07886."
    ),
    "Vinh et al. 2010": (
        "N. X. Vinh, J. Epps, J. Bailey. Information Theoretic Measures for Clusterings Comparison: Variants, "
        "Properties, Normalization and Correction for Chance. JMLR 11, 2010."
    ),
    "Xiao et al. 2017": (
        "H. Xiao, K. Rasul, R. Vollgraf. Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning "
        "Algorithms. 2017, arXiv:1708.07747."
    ),
    "Zhao et al. 2017": (
        "S. Zhao, J. Song, S. Ermon. InfoVAE: Information Maximizing Variational Autoencoders. 2017, arXiv:1706.02262."
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


def cited(kind: Kind, name: str) -> dict[str, str]:
    """The full citations of what a component's file refers to, read without importing it; none of an unknown one."""
    file = registry.entry(kind, name).file if name in registry.names(kind) else None
    return sources(file.read_text()) if file else {}
