// A set to show: the texts that tests look for.

export const SERVICE = 'Bücher & Co';
export const ACCOUNT = 'ada@example.com';
export const CODES = [
  'K7QM-3XNB',
  '9WDF-TR2H',
  'ZG5L-8VYC',
  'P4JS-NK6A',
  'B2EX-QD7M',
  'H8UR-5WTF',
  'C3YV-GL9Z',
  'N6AK-SJ4P',
  'T5FH-W8U2',
  'M7DQ-XB3E',
];
