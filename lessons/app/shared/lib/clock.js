// Work that takes so many seconds. In a lesson with a faster clock vercel-sim lets them pass as fast as its limits.
export const seconds = (n) => new Promise((resolve) => setTimeout(resolve, n * 1000));
