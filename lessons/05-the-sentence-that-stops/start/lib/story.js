export const story = 'Once a function has begun to speak it may still be stopped before the last word'.split(' ');
