const countUp = (limit: number): number => {
  let count = 0
  while (count < limit) count++
  return count
}

postMessage(countUp(1_000))
