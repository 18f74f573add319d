# Farrington flexible on weekly counts: one column a series in, one column of thresholds per alpha out.
suppressMessages(library(surveillance))
arguments <- commandArgs(trailingOnly = TRUE)
counts <- as.matrix(read.csv(arguments[1]))
weeks <- nrow(counts)
range <- (weeks - 48):weeks
for (alpha in as.numeric(strsplit(arguments[3], ",")[[1]])) {
  found <- sapply(seq_len(ncol(counts)), function(column) {
    series <- sts(observed = counts[, column], frequency = 52, start = c(2001, 1))
    control <- list(range = range, b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, thresholdMethod = "nbPlugin",
                    alpha = alpha, weightsThreshold = 2.58, pThresholdTrend = 1, limit54 = c(0, 4), verbose = FALSE)
    as.numeric(alarms(suppressWarnings(farringtonFlexible(series, control))))
  })
  write.csv(found, paste0(arguments[2], alpha, ".csv"), row.names = FALSE)
}
