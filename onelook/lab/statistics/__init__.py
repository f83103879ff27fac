"""Statistics of experiments on pictures: plain functions of arrays, on numpy and SciPy.

Names hold everywhere: the *reference* arm is what exists, the *candidate* is compared with it, a difference is
candidate minus reference, and position i of every array is the same picture. `clusters` names the album, folder or day
of each picture: pictures of one cluster resemble each other and are no independent observations. `alpha` is the
two-sided error; an interval has the confidence 1 - alpha. Functions that draw at random take a
`numpy.random.Generator`: the same seed gives the same figures. docs/statistics.md: which question, which function, and
the simulated coverage of each interval.

    interval             Interval, Caveat
    proportions          proportion
    paired_counts        PairedCounts
    paired_difference    paired_difference, newcombe
    mcnemar              mcnemar
    several_arms         holm, cochran_q
    clusters             Clusters, cluster_mean, cluster_t_p
    bootstrap            bootstrap_mean
    verdict              Verdict, accuracy_verdict, latency_verdict, combined_verdict
    comparison           compare
    latency              latency_ratio, percentile
    gain                 gain_by_part
    anytime              sign_e_value, betting_e_value, not_worse_e_value, confidence_sequence
    power                from_pilot, power, pictures_needed, detectable_difference, detectable_margin
    agreement            agreement, cohens_kappa
    bounded              bounded_interval
    prediction_powered   prediction_powered_mean
    label_next           disagreement_weights, inclusion_probabilities, draw, assisted_mean
    calibration_bins     bins, expected_error
    calibration          calibration_error, brier, reliability_curve
    risk_coverage        risk_coverage, aurc, coverage_at
"""
